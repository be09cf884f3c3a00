"""How every figure looks: one palette, one set of fonts, deterministic files.

Colours are Okabe and Ito's (2008) where they reach; all are told apart by readers with any common colour vision.
A neuron takes the colour of the class that it votes for.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

NEGATIVE, POSITIVE = "#0072B2", "#D55E00"
F1, F2, NTK = "#00835F", "#9B3F87", "#B87700"
INK, MUTED, PAPER = "#222222", "#666666", "#FFFFFF"
OBJECT = {"f1": F1, "f2": F2, "f2m": F2, "ntk": NTK}

# Light enough for points and rings of the same hue to stand out on it.
DECISION = LinearSegmentedColormap.from_list(
    "maxmargin", ["#5FA8D3", "#A9D2EA", "#F7F7F5", "#F6C9A8", "#E8935A"], N=512
)
# Payoffs are read off to the last percent near their maximum: the map darkens there.
PAYOFF = LinearSegmentedColormap.from_list(
    "payoff", [(0.0, "#2F7FB8"), (0.2, "#A9D2EA"), (0.5, "#FAFAF8"), (0.8, "#F6C9A8"), (1.0, "#D9742F")], N=512
)

RC: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.labelsize": 10.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#999999",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.use_mathtext": True,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "figure.facecolor": PAPER,
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "lines.solid_capstyle": "round",
    "mathtext.fontset": "dejavusans",
    "svg.fonttype": "path",
    "svg.hashsalt": "maxmargin",
}

Layout = Literal["constrained", "compressed"] | None
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run a drawing function under this style, whatever the caller's rcParams are, and leave those untouched."""

    @wraps(draw)
    def wrapper(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with rc_context():
            set_default()
            return draw(*args, **kwargs)

    return wrapper


def set_default() -> None:
    """This style, from matplotlib's own defaults; within a context that restores the caller's."""
    import matplotlib

    matplotlib.rcdefaults()
    matplotlib.rcParams.update(RC)


def new_figure(width: float, height: float, layout: Layout = "constrained") -> Figure:
    """A figure of that many inches with an Agg canvas and no global state; "compressed" packs fixed aspects."""
    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(w_pad=0.1, h_pad=0.1, wspace=0.03, hspace=0.04)
    return figure


def light_grid(axes: Axes, axis: Literal["x", "y"] = "y") -> None:
    """Hairlines behind the data."""
    axes.ticklabel_format(
        axis=axis, style="plain", useOffset=False
    )  # a power of ten above the axis would overlap the title
    axes.grid(True, axis=axis, color="#ECECEC", linewidth=0.8)
    axes.set_axisbelow(True)


def bare(axes: Axes, reach: float) -> None:
    """A square picture of [-reach, reach]^2 without frame; unlike `set_axis_off` it leaves titles in the layout."""
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))


def key(label: str, colour: str = INK, **look: Any) -> Line2D:
    """An entry of a legend; one with a marker has no line."""
    return Line2D([], [], color=colour, label=label, **{"linestyle": "" if "marker" in look else "-"} | look)


def note(axes: Axes, text: str) -> None:
    """A muted second line under the title; its length does not change the size of the panel."""
    title = axes.get_title(loc="left")
    axes.set_title(title, loc="left", pad=21.0)
    line = axes.annotate(
        text, (0.0, 1.0), (0.0, 8.0), xycoords="axes fraction", textcoords="offset points", color=MUTED, fontsize=9.0
    )
    line.set_in_layout(False)


@styled
def figure_bytes(figure: Figure, kind: str = "svg", dpi: int = 200) -> bytes:
    """The figure as SVG or PNG: the same figure gives the same bytes (no dates, salted identifiers)."""
    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": "maxmargin"} if kind == "svg" else {"Software": "maxmargin"}
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    return buffer.getvalue()
