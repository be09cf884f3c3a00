"""The report of a comparison: one HTML file that needs nothing else, to read, print and hand on.

The words stand in the template ``report.html``, the looks in ``report.css``, the values come from `view`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..plots import figure_bytes, style
from .view import caption, values

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["render"]


def render(comparison: Any, figures: Mapping[str, Figure]) -> str:
    """The whole report as HTML: no scripts, no links to load, figures embedded as SVG.

    Parameters
    ----------
    comparison : what `maxmargin.compare` returns.
    figures : name -> figure, as `maxmargin.plots.figures` gives them; known names get a caption.
    """
    from jinja2 import Environment
    from markupsafe import Markup

    here = files(__package__)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    css = environment.from_string((here / "report.css").read_text(encoding="utf-8")).render(colour=style)
    template = environment.from_string((here / "report.html").read_text(encoding="utf-8"))
    drawn = [_figure(comparison, name, figure) for name, figure in figures.items()]
    return template.render(css=Markup(css), figures=drawn, **values(comparison)) + "\n"


def _figure(comparison: Any, name: str, figure: Figure) -> dict[str, str]:
    title, text = caption(comparison, name)
    data = base64.b64encode(figure_bytes(figure, "svg")).decode("ascii")
    return {"name": name, "data": data, "title": title, "caption": text}
