"""Gradient flow of wide two-layer networks, in NumPy."""
