"""What a neuron computes: feature functions, dictionaries of directions, kernels."""

from .homogeneous import RELU, SQUARED_RELU, Feature, get_feature, register, registered

__all__ = ["RELU", "SQUARED_RELU", "Feature", "get_feature", "register", "registered"]
