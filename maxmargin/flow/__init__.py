"""Gradient flow of wide two-layer networks, in NumPy."""

from .implicit import Flow
from .network import Balanced, Gaussian, Network, Paired
from .run import Run
from .schedules import Constant, LossBased, Paper, StepRule, Theorem
from .train import train_flow

__all__ = [
    "Balanced",
    "Constant",
    "Flow",
    "Gaussian",
    "LossBased",
    "Network",
    "Paired",
    "Paper",
    "Run",
    "StepRule",
    "Theorem",
    "train_flow",
]
