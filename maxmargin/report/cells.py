"""What a notebook shows of a result: its table, two lines of meaning, and one small figure.

The function for a class has its name.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from types import SimpleNamespace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..comparison import ComparedRun
from ..comparison_table import ONE_NORM
from ..plots import decision_map, figure_bytes, style
from ..plots.margin import margin_panel
from ..plots.neurons import draw_neurons, panels_within

_STYLE = "font-family:monospace;white-space:pre;overflow-x:auto;margin:0;line-height:1.4"


def certificate_cell(certificate: Any) -> str:
    """The lines of a certificate, how its two ends are proved, and the atoms of an F1 classifier up to D = 3."""
    if certificate.problem.norm == "f1":
        neurons = int(np.count_nonzero(certificate.classifier.weights))
        who = f"a network of {neurons} neurons"
    else:
        who = f"a function of the kernel space, {len(certificate.adversary)} coefficients,"
    points = int(np.count_nonzero(certificate.adversary))
    meaning = [
        f"Lower end: {who} attains it. Upper end: weights on {points} of the {certificate.problem.n} points prove it.",
        f"What the upper end covers: {_scope(certificate)}.",
    ]
    return _cell(str(certificate), [*meaning, *certificate.problem.notes], _atoms(certificate))


def run_cell(run: Any) -> str:
    """The lines of a run, what they mean, and its margin curve."""
    norm = "the F1 norm of the network" if run.norm == "f1" else "the L2 norm over its own random features"
    meaning = [
        f"The margin is the smallest y f(x) over the training points, divided by {norm}: a fact about this network.",
        "Best: over all iterates. The maximum over all networks is what mm.max_margin brackets."
        if run.margin_best > 0
        else "A margin below zero means that some training point is on the wrong side.",
    ]
    notes = (run.data or {}).get("notes", [])

    def draw(axes: Axes) -> None:
        item = ComparedRun.of(run)
        margin_panel(axes, SimpleNamespace(runs=(item,)), item.reference)

    return _cell(str(run), [*meaning, *notes], _small(draw) if len(run.trace) > 2 else None)


def comparison_cell(comparison: Any) -> str:
    """The table of a comparison, what a row means, and the decision maps up to two features."""
    figure = decision_map(comparison) if comparison.dataset.d <= 2 and comparison.margins else None
    meaning = [
        "Solved rows hold the largest margin of any classifier of norm one, both ends proved. Trained rows hold the "
        "margin that gradient flow reached, which cannot exceed its limit.",
        ONE_NORM,
    ]
    return _cell(str(comparison).replace(ONE_NORM, "").strip(), meaning, figure)


def assessment_cell(assessment: Any) -> str:
    """The lines of an assessment, what they mean, and the network's own neurons up to D = 3."""
    meaning = [
        "The margin of your network is its smallest y f(x) over its variation norm; the limit is the largest such "
        "value of any network, both ends proved.",
        "A neuron that is positive on no point adds to the norm, not to the margin. Unbalanced layers add mass.",
    ]
    return _cell(str(assessment), meaning, _atoms(assessment.certificate))


def minimumnorm_cell(found: Any) -> str:
    """The lines of a smallest norm, and how its two ends are proved."""
    points = int(np.count_nonzero(found.adversary))
    meaning = [
        f"Upper end: an explicit function takes the values within the tube. Lower end: weights on {points} of the "
        f"{found.problem['n']} points prove it.",
        f"What the lower end covers: {_scope(found)}.",
    ]
    return _cell(str(found), meaning, None)


def _scope(certificate: Any) -> str:
    return str(getattr(certificate.scope, "sentence", certificate.scope))


def _atoms(certificate: Any) -> Figure | None:
    """Stars on the circle or the two half spheres; their names are those of the coordinates of z."""
    problem, classifier = certificate.problem, certificate.classifier
    D = problem.d + problem.bias
    if problem.norm != "f1" or D not in (2, 3) or not np.any(classifier.weights):
        return None
    nothing = SimpleNamespace(X=np.zeros((1, problem.d)), feature_names=None, inputs=lambda bias: np.zeros((1, D)))
    bare = SimpleNamespace(problem=problem, classifier=classifier, adversary=np.zeros(1))

    def draw(axes: Axes) -> None:
        draw_neurons(panels_within(axes, D, 0.86), SimpleNamespace(dataset=nothing), bare, None)

    return _small(draw)


@style.styled
def _small(draw: Callable[[Axes], None]) -> Figure:
    figure = style.new_figure(6.4, 3.6)
    draw(figure.subplots())
    return figure


def _cell(text: str, meaning: Sequence[str], figure: Figure | None) -> str:
    """HTML without scripts or styles that could leak into the notebook."""
    lines = "".join(f"<p style='margin:.3em 0'>{escape(line)}</p>" for line in meaning)
    image = ""
    if figure is not None:
        data = base64.b64encode(figure_bytes(figure, "png", 110)).decode("ascii")
        image = f"<img alt='figure' style='max-width:100%;background:#fff' src='data:image/png;base64,{data}'>"
    return f"<div><pre style='{_STYLE}'>{escape(text)}</pre>{lines}{image}</div>"
