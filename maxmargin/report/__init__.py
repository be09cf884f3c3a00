"""The report of a comparison: one HTML file that needs nothing else, to read, print and hand on."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from typing import Any

from matplotlib.figure import Figure

from ..plots import figure_bytes
from . import tables, words
from .page import document

__all__ = ["render"]


def render(comparison: Any, figures: Mapping[str, Figure]) -> str:
    """The whole report as HTML: no scripts, no links to load, figures embedded as SVG.

    Parameters
    ----------
    comparison : what `maxmargin.compare` returns.
    figures : name -> figure, as `maxmargin.plots.figures` gives them; known names get a caption.
    """
    sections = [
        ("What was asked", words.asked(comparison)),
        ("The margins, solved", tables.margins(comparison)),
        ("The flows, trained", tables.runs(comparison)),
        ("What it looks like", "".join(_figure(comparison, k, *item) for k, item in enumerate(figures.items(), 1))),
        ("How each number is proved", words.proofs(comparison)),
        ("Check it, repeat it", words.repeat(comparison)),
        ("Where it comes from", tables.provenance(comparison)),
    ]
    body = "".join(f"<section><h2>{title}</h2>{text}</section>" for title, text in sections if text)
    return document(f"{comparison.dataset.name}: certified margins", words.head(comparison) + body)


def _figure(comparison: Any, number: int, name: str, figure: Figure) -> str:
    data = base64.b64encode(figure_bytes(figure, "svg")).decode("ascii")
    title, caption = words.caption(comparison, name)
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(title, quote=True)}">'
    text = f"<b>Figure {number}. {escape(title)}</b> {caption}"
    return f'<figure id="{escape(name, quote=True)}">{image}<figcaption>{text}</figcaption></figure>'
