"""Films of a training run: neurons, classifier, dual potential and margin, moving towards what is proved.

`render` writes one HTML page that needs nothing else; `save` chooses by the suffix (.html, .gif, .mp4); `film` solves,
trains and gives a `Film`, which a notebook shows in its cell.  The module can be called as that function:
``maxmargin.film("xor")``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import atomic
from ..dataset import load
from ..errors import InputError
from ..margins import max_margin
from ..plots.views import separable
from ..progress import Progress, silent
from ..text import percent, shared_digits
from ..training import train
from .encode import document, script_json

__all__ = ["Film", "check_target", "film", "render", "save"]

SCRIPTS = ("drawing.js", "charts.js", "scenes.js", "player.js")  # one module, in this order
PROOFS = 40  # upper ends proved along the way, up to D = 3
_PAGES, _MOVIES = {".html", ".htm"}, {".gif", ".mp4"}


def render(dataset: Any, run: Any, certificate: Any) -> str:
    """The film as one offline HTML page with play, pause and slider.

    Parameters
    ----------
    dataset : the data.  run : a `Run` with snapshots (`train` keeps about sixty).
    certificate : the F1 certificate of the same data, whose atoms are the stars and whose bracket is the goal.

    Raises
    ------
    InputError : the run has no snapshots, or the certificate is not an F1 certificate of data like these.
    """
    _check(dataset, run, certificate)
    here = files(__package__)
    script = "\n".join((here / name).read_text(encoding="utf-8") for name in SCRIPTS)
    page = (here / "film.html").read_text(encoding="utf-8")
    fields = {
        "@TITLE@": escape(f"{dataset.name}: a film of {run.width} neurons"),
        "@NAME@": escape(str(dataset.name)),
        "@WIDTH@": str(run.width),
        "@BRACKET@": escape(shared_digits(certificate.lower, certificate.upper)),
        "@LEAD@": _lead(run, certificate),
        "@LAYERS@": "both layers trained" if run.layers == "both" else f"layers trained: {escape(run.layers)}",
        "@CONVENTION@": escape(certificate.problem.convention),
        "@SCOPE@": escape(certificate.scope),
        "@STYLE@": (here / "film.css").read_text(encoding="utf-8"),
        "@SCRIPT@": script,
    }
    for key, value in fields.items():
        page = page.replace(key, value)
    return page.replace("@DATA@", script_json(document(dataset, run, certificate)))


def save(dataset: Any, run: Any, certificate: Any, path: str | os.PathLike[str]) -> Path:
    """Write the film, whole or not at all: ``.html``, ``.gif`` (Pillow) or ``.mp4`` (where ffmpeg is installed).

    Raises
    ------
    InputError : another suffix, .mp4 without ffmpeg, or what `render` refuses.
    """
    target = check_target(path)
    if target.suffix.lower() in _PAGES:
        atomic.write_text(target, render(dataset, run, certificate))
        return target
    _check(dataset, run, certificate)
    from .stills import write_movie

    write_movie(dataset, run, certificate, target)
    return target


def check_target(path: str | os.PathLike[str]) -> Path:
    """The path of a film that can be written here; refuses another suffix and .mp4 without ffmpeg, before any work."""
    target = Path(path)
    if target.suffix.lower() in _MOVIES:
        from .stills import writer_name

        writer_name(target)
    elif target.suffix.lower() not in _PAGES:
        raise InputError(f"film: found the suffix {target.suffix!r} in {str(target)!r}, wanted .html, .gif or .mp4")
    return target


def _lead(run: Any, certificate: Any) -> str:
    """What to look at, and how far training came."""
    if not separable(certificate):
        return (
            "A convex program, solved and proved beforehand, says that the margin is zero: no network of this kind "
            "separates the classes. Training can only approach zero from below."
        )
    known = (
        "Training knows nothing of the stars and of the dashed line: they are the solution of a convex program, "
        "computed and proved beforehand."
    )
    if certificate.lower <= 0 or run.norm != "f1":
        return known
    if run.margin_best <= 0:
        return f"{known} After {run.steps} steps it does not separate the classes yet."
    return f"{known} It reaches {percent(run.margin_best / certificate.lower)} of the proved margin."


def _check(dataset: Any, run: Any, certificate: Any) -> None:
    if len(getattr(run, "snapshots", ())) < 2:
        raise InputError("run: found fewer than two snapshots, wanted a run with its path; train again with more steps")
    problem = certificate.problem
    if problem.norm != "f1" or (problem.n, problem.d) != (dataset.n, dataset.d) or problem.bias != run.bias:
        raise InputError(
            f"certificate: found {problem.norm} for n={problem.n}, d={problem.d}, bias={problem.bias}, wanted f1 for "
            f"n={dataset.n}, d={dataset.d}, bias={run.bias}; certify the same data with the same flags"
        )


@dataclass(frozen=True, repr=False)
class Film:
    """A run, its data and the certificate of its limit: shown in a notebook cell, written by `save`.

    Attributes
    ----------
    dataset : the data.  run : a `Run` with snapshots.  certificate : the F1 certificate of the same data.
    """

    dataset: Any
    run: Any
    certificate: Any

    def __repr__(self) -> str:
        return f"Film({self.dataset.name!r}, {self.run.width} neurons, {self.run.steps:,} steps)"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write ``.html``, ``.gif`` or ``.mp4``."""
        return save(self.dataset, self.run, self.certificate, path)

    def _repr_html_(self) -> str:
        page = escape(render(self.dataset, self.run, self.certificate), quote=True)
        return f'<iframe title="film" style="width:100%;height:46rem;border:0" srcdoc="{page}"></iframe>'


def film(
    data: Any,
    *,
    bias: bool = True,
    feature: Any = "relu",
    convention: str = "sphere",
    width: int = 400,
    steps: int = 1000,
    schedule: str = "flow",
    time_limit: float | None = None,
    seed: int = 0,
    tol: float = 1e-9,
    progress: Progress = silent,
    **training: Any,
) -> Film:
    """Solve the F1 margin, train both layers beside it, and return the film of it.

    Parameters
    ----------
    data, bias, feature, convention, tol, seed : as in `maxmargin.max_margin`.
    width, steps, schedule, training : of the run, as in `maxmargin.train`.
    time_limit : seconds for the margin, and again for the run.

    Returns
    -------
    Film : the last line of a notebook cell shows it; `.save("film.gif")` writes it.
    """
    dataset = load(data)
    shared: dict[str, Any] = {"bias": bias, "feature": feature, "convention": convention, "seed": seed}
    certificate = max_margin(dataset, "f1", **shared, tol=tol, time_limit=time_limit, progress=progress)
    flat = dataset.d + bias <= 3  # where upper ends are proved fast
    run = train(
        dataset,
        layers="both",
        **shared,
        width=width,
        steps=steps,
        schedule=schedule,
        certify_every=max(1, steps // PROOFS) if flat else None,
        time_limit=time_limit,
        progress=progress,
        **training,
    )
    return Film(dataset, run, certificate)


class _Callable(ModuleType):
    """This module, which is also the public function of the same name."""

    def __call__(self, data: Any, **options: Any) -> Film:
        return film(data, **options)


sys.modules[__name__].__class__ = _Callable
