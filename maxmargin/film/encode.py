"""Frames as one compact JSON text that is safe inside a script element."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..plots import geometry, style
from ..plots.potential import skyline
from ..plots.views import separable
from . import frames as film

REACH = 4.0  # fields and potentials saturate at this many units


def pack(values: ArrayLike, reach: float = 1.0) -> dict[str, Any]:
    """An array as int16 of value / reach, clipped: {"shape", "reach", "data": base64, little endian}."""
    array = np.asarray(values, dtype=float)
    whole = np.rint(np.clip(array / reach, -1.0, 1.0) * 32767).astype("<i2")
    return {"shape": list(array.shape), "reach": reach, "data": base64.b64encode(whole.tobytes()).decode("ascii")}


def signed_root(shares: np.ndarray) -> np.ndarray:
    """sign(w) sqrt|w|, at least one unit of quantisation: a neuron of weight zero still has a colour."""
    return np.sign(shares) * np.maximum(np.sqrt(np.abs(shares)), 1.0 / 32767)


def colours(name: str) -> list[list[int]]:
    """A colour map as 256 RGB triples."""
    table = getattr(style, name)(np.linspace(0.0, 1.0, 256))[:, :3]
    return np.rint(255 * table).astype(int).tolist()


def document(dataset: Any, run: Any, certificate: Any) -> dict[str, Any]:
    """Everything the player needs, JSON-able."""
    frames = film.build(dataset, run, certificate)
    payoff = film.reference(dataset, certificate)
    classes = [str(name) for name in getattr(dataset, "classes", (-1, 1))]
    story = frames.moments
    return {
        "name": str(dataset.name),
        "classes": classes,
        "kind": frames.kind,
        "scene": frames.scene,
        "labels": {key: [_plain(text) for text in texts] for key, texts in frames.labels.items()},
        "limits": list(frames.limits),
        "points": np.round(frames.points, 6).tolist(),
        "y": dataset.y.astype(int).tolist(),
        "support": pack(frames.adversaries / frames.adversaries.max(axis=1, keepdims=True)),
        "highest": None if frames.highest is None else frames.highest.tolist(),
        "alike": _alike(frames),
        "best": _best(run),
        "steps": [moment.step for moment in story],
        "times": [moment.time for moment in story],
        "margins": [moment.margin for moment in story],
        "trace": _trace(run),
        "pace": pace(frames),
        "bracket": _bracket(certificate),
        "separable": separable(certificate),
        "neurons": pack(frames.neurons),
        "shares": pack(signed_root(frames.shares)),
        "atoms": frames.atoms.tolist(),
        "weights": frames.weights.tolist(),
        "live": pack(frames.live, REACH),
        "field": pack(frames.field, REACH),
        "target": pack(frames.target, REACH),
        "curve": _curve(frames, payoff),
        "skyline": _skylines(frames),
        "palette": {name: getattr(style, name.upper()) for name in ("negative", "positive", "f1", "ink", "muted")},
        "maps": {"decision": colours("DECISION"), "payoff": colours("PAYOFF")},
    }  # fmt: skip


def _bracket(certificate: Any) -> list[float | None]:
    """Both ends; exactly 0 where they are proved to be 0 up to rounding, None for an unproved upper end."""
    if not separable(certificate):
        return [0.0, 0.0]
    return [certificate.lower, certificate.upper if np.isfinite(certificate.upper) else None]


def _alike(frames: film.Frames) -> bool:
    """Whether both coordinates of the scene have one scale (else each fills its side)."""
    return frames.scene == "line" or geometry.map_limits(frames.points)[2]


def _best(run: Any) -> list[float] | None:
    """Time and margin of the best iterate."""
    if run.margin_best <= 0:
        return None
    steps, times = zip(*((row["step"], row.get("time", row["step"])) for row in run.trace), strict=True)
    return [float(np.interp(run.step_of_best, steps, times)), run.margin_best]


def _plain(text: str) -> str:
    """Matplotlib's formulas as plain text."""
    for index, digit in enumerate("\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089"):
        text = text.replace(f"$x_{{{index}}}$", f"x{digit}")
    return text.replace(r"\$", "$").replace("$", "")


def _trace(run: Any) -> list[list[float | None]]:
    """[time, margin, least proved upper so far or None], for times above 0."""
    rows, least = [], np.inf
    for row in run.trace:
        least = min(least, row.get("upper") or np.inf)
        if row.get("time", row["step"]) > 0 and row.get("mass", 1.0) > 0:
            rows.append([row.get("time", row["step"]), row["margin"], least if np.isfinite(least) else None])
    return rows


def pace(frames: film.Frames) -> list[float]:
    """Time at which each moment is shown, in [0, 1]: half evenly spread, half by the change of the measure and of f."""
    measure = (frames.shares[:, :, None] * frames.neurons).reshape(len(frames.shares), -1)
    field = np.clip(frames.field, -REACH, REACH).reshape(len(measure), -1)
    change = np.abs(np.diff(measure, axis=0)).sum(axis=1) + np.abs(np.diff(field, axis=0)).mean(axis=1)
    share = 0.5 / len(change) + 0.5 * change / (change.sum() or 1.0)
    return np.concatenate([[0.0], np.cumsum(share) / share.sum()]).tolist()


def _curve(frames: film.Frames, payoff: Any) -> list[list[float]] | None:
    """The certificate's potential: [angle, value / level] (circle) or the skyline (sphere)."""
    if frames.kind == "disc":
        return None
    angle, value = film.exact_curve(payoff) if frames.kind == "circle" else skyline(payoff)
    return np.round(np.column_stack([angle, value]), 6).tolist()


def _skylines(frames: film.Frames) -> dict[str, Any] | None:
    """Each moment's largest |potential| over latitude, by longitude from -pi (sphere)."""
    if frames.kind != "sphere":
        return None
    highest = np.abs(frames.live).max(axis=1)
    return pack(np.roll(highest, highest.shape[1] // 2, axis=1), REACH)


def script_json(value: Any) -> str:
    """JSON that is safe inside a script element."""
    return (
        json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    )
