"""Plots in scikit-learn's Display style: `from_estimator`, `from_certificate`, `from_run`, `from_comparison`, `ax=`.

>>> import maxmargin as mm
>>> display = mm.MarginCurveDisplay.from_run(mm.train("xor", width=50, steps=100))       # doctest: +SKIP
>>> display.ax_.set_title("mine")                                                        # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from matplotlib import interactive, is_interactive, rc_context
from matplotlib.axes import Axes

from ..comparison import ComparedRun, Comparison
from ..dataset import Dataset, load
from ..errors import InputError
from . import decision, style
from .margin import margin_panel
from .neurons import draw_neurons, panels_within
from .potential import draw_potential
from .views import best_network, classifier_views, first_run, payoff_of, separable


class Display:
    """A plot of one result on one axes.

    Attributes
    ----------
    ax_ : the matplotlib axes.  figure_ : its figure.
    """

    size: ClassVar[tuple[float, float]] = (5.6, 4.8)

    def __init__(self, parts: Any) -> None:
        self.parts = parts

    @classmethod
    def from_certificate(cls, certificate: Any, data: Any, *, ax: Axes | None = None) -> Display:
        """Draw a certificate beside its data, given in any way that `maxmargin.load` takes.

        Raises
        ------
        InputError : the data are not those of the certificate.
        """
        dataset = _its_data(certificate, data)
        return cls(Comparison(dataset, {certificate.problem.norm: certificate})).plot(ax)

    @classmethod
    def from_run(cls, run: Any, data: Any = None, *, certificate: Any = None, ax: Axes | None = None) -> Display:
        """Draw a training run, beside the F1 certificate of the same data if one is given."""
        if certificate is not None:
            data = _its_data(certificate, data)
        dataset: Any = None if data is None else load(data)
        margins = {} if certificate is None else {certificate.problem.norm: certificate}
        bracket = certificate.bracket if certificate is not None and run.norm == "f1" else None
        return cls(Comparison(dataset, margins, (ComparedRun.of(run, bracket),))).plot(ax)

    @classmethod
    def from_comparison(cls, comparison: Any, *, ax: Axes | None = None) -> Display:
        """Draw what a comparison holds."""
        return cls(comparison).plot(ax)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, ax: Axes | None = None) -> Display:
        """Draw a fitted classifier of this package on its training data.

        Raises
        ------
        InputError : the estimator is not fitted, or not one of this package.
        """
        return cls(Comparison.unscored(estimator, X, y)).plot(ax)

    def plot(self, ax: Axes | None = None) -> Display:
        """Draw on `ax`, or on a new figure of pyplot, which a notebook shows under its cell."""
        with rc_context():
            style.set_default()
            if ax is None:
                import matplotlib.pyplot as plt

                _, ax = plt.subplots(figsize=self.size, layout="constrained")
            self.ax_, self.figure_ = ax, ax.figure
            self._draw(ax)
            turned_on = is_interactive()
        interactive(turned_on)  # a notebook turns pyplot interactive at its first figure; later cells need that
        return self

    def _draw(self, ax: Axes) -> None:
        raise NotImplementedError

    def _needs_f1(self) -> Any:
        certificate = self.parts.margins.get("f1")
        if certificate is None or not np.any(certificate.classifier.weights):
            raise InputError("certificate: found none of F1 with a non-zero classifier, wanted one: solve norm='f1'")
        return certificate


class DecisionMapDisplay(Display):
    """f over the plane (the line for d = 1; the plane of the neurons above d = 2), in units of its own margin."""

    def _draw(self, ax: Axes) -> None:
        views = classifier_views(self.parts)
        if not views:
            raise InputError("certificate: found a tangent-kernel one alone, wanted F1 or F2 for a decision map")
        name, view = next(iter(views.items()))
        if self.parts.dataset.d == 1:
            decision.line_panel(ax, self.parts, [view], decision.line_nodes(self.parts.dataset))
            return
        drawing = decision.map_of(self.parts, {name: view})
        drawing.panel(ax, view)
        ax.set(xlabel=drawing.labels[0], ylabel=drawing.labels[1])


class MarginCurveDisplay(Display):
    """The normalised margin of a run against log time, inside the proved bracket of its limit if that is known."""

    size = (6.4, 4.4)

    def _draw(self, ax: Axes) -> None:
        if not self.parts.runs:
            raise InputError("run: found none, wanted a training run (mm.train) for a margin curve")
        margin_panel(ax, self.parts, self.parts.runs[0].reference)


class NeuronsDisplay(Display):
    """Where the neurons are on the sphere of directions: atoms as stars, those of a trained network as dots."""

    size = (8.0, 4.6)

    def _draw(self, ax: Axes) -> None:
        certificate = self._needs_f1()
        item = first_run(self.parts, "f1")
        trained = None if item is None else best_network(item.run).measure()
        D = certificate.classifier.directions.shape[1]
        draw_neurons(panels_within(ax, D, 0.88), self.parts, certificate, trained)


class DualPotentialDisplay(Display):
    """What the adversary pays to every neuron, and the proved level that no neuron exceeds."""

    size = (7.2, 4.2)

    def _draw(self, ax: Axes) -> None:
        certificate = self._needs_f1()
        if not separable(certificate):
            raise InputError("certificate: its margin is zero, and so is the dual potential; there is nothing to draw")
        item = first_run(self.parts, "f1")
        trained = None if item is None else best_network(item.run).measure()
        payoff = payoff_of(self.parts.dataset, certificate)
        draw_potential(ax, self.parts, certificate, payoff, trained)


def _its_data(certificate: Any, data: Any) -> Dataset:
    if data is None:
        raise InputError("data: found none, wanted the data of the certificate")
    dataset = load(data)
    if dataset.sha256 != certificate.problem.data_sha256:
        raise InputError(
            f"data: found {dataset.name!r} with another hash than the certificate's, wanted the same data (file, "
            "label and units)"
        )
    return dataset
