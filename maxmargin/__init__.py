"""maxmargin: certified max margins of wide two-layer networks, and the gradient flows that converge to them."""

__version__ = "0.1.0"
