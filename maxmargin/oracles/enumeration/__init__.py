"""Exact best responses in low dimension: all cells of the arrangement of the hyperplanes z_i^perp are visited."""
