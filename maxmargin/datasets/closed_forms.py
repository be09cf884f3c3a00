"""Problems whose max margins are known by hand: the reference for every solver and every flow.

All values are in the path convention (signed measures of total variation <= 1 over unit directions; the paper's
gamma_1 is half of it for ReLU) and, for F2, for directions uniform on the sphere S^{D-1}. Each formula follows from a
pair (measure, adversary) of equal value; kappa is the arc-cosine kernel of degree 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import Array
from . import small
from .values import Dataset, make_dataset

ROOT2 = math.sqrt(2.0)


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """One instance: a data set, with or without `bias`, and its margins (None: not known by hand).

    Attributes
    ----------
    dataset : the points and labels.  bias : whether the activation sees z = (x, 1).
    id, name : family (``C1`` .. ``C10``) and the instance with its parameters.
    gamma_path : F1 margin of ReLU, path convention.
    gamma_2 : F2 margin of ReLU, directions uniform on the sphere.
    gamma_squared_relu : F1 margin of the squared ReLU (the same in both conventions).
    gamma_savarese : margin in the norm that leaves biases free (Savarese et al. 2019), one-dimensional data.
    directions : (K, D) unit rows that carry an optimal ReLU measure, or None.
    separable : whether gamma_path > 0.
    source : equation or argument.
    """

    id: str
    name: str
    dataset: Dataset
    bias: bool
    gamma_path: float | None = None
    gamma_2: float | None = None
    gamma_squared_relu: float | None = None
    gamma_savarese: float | None = None
    directions: Array | None = None
    separable: bool = True
    source: str = ""


def closed_forms() -> Iterator[ClosedForm]:
    """Yield every instance of C1 .. C10."""
    for families in (
        _one_point,
        _antipodal,
        _two_points,
        _three_points,
        _polygons,
        _orthogonal,
        _cubes,
        _symmetric,
        _gaps,
    ):
        yield from families()


def kappa(c: ArrayLike) -> Array:
    """kappa(c) = (sqrt(1 - c^2) + (pi - arccos c) c)/pi, so that K(z, z') = |z||z'| kappa(cos)/(2D) on the sphere.

    Written here again, apart from `features.kernels`, so that the reference is independent of the tested code.
    """
    c = np.clip(c, -1.0, 1.0)
    return (np.sqrt((1.0 - c) * (1.0 + c)) + (np.pi - np.arccos(c)) * c) / np.pi


def _one_point() -> Iterator[ClosedForm]:
    """C1: gamma = |z| with the single neuron z/|z|; K(z, z) = |z|^2/(2D)."""
    for X, bias in (([[3.0, 4.0]], False), ([[1.0, 2.0, 2.0]], True), ([[0.5]], False)):
        for label in (-1, 1):
            data = make_dataset(X, [label], "one point", classes=(-1, 1))
            z = data.inputs(bias)
            r, D = float(np.linalg.norm(z)), z.shape[1]
            yield ClosedForm(
                "C1", f"one point D={D} label {label:+d}", data, bias, r, r / math.sqrt(2 * D), r * r,
                directions=z / r, source="the best neuron points at z",
            )  # fmt: skip


def _antipodal() -> Iterator[ClosedForm]:
    """C2: +-z never share a neuron, whatever the labels; K(z, -z) = 0."""
    for z, same in (([1.0, 0.0], False), ([1.0, 2.0], False), ([1.0, 2.0], True), ([2.0, -1.0, 2.0, 4.0], False)):
        data = make_dataset([z, [-v for v in z]], [1, 1 if same else -1], "antipodal", classes=(-1, 1))
        r, D = float(np.linalg.norm(z)), len(z)
        yield ClosedForm(
            "C2", f"antipodal r={r:.3g} D={D} {'same' if same else 'opposite'} labels", data, False,
            r / 2, r / (2 * math.sqrt(D)), r * r / 2, directions=data.X / r,
            source="supports of (a.z)_+ and (-a.z)_+ are disjoint",
        )  # fmt: skip


def _two_points() -> Iterator[ClosedForm]:
    """C3: two points at angle theta."""
    for theta in (0.2, 1.0, math.pi / 2, 2.0, math.pi):
        for r1, r2 in ((1.0, 1.0), (ROOT2, ROOT2), (1.0, 2.5)):
            yield _opposite_pair(small.two_points(theta, r1, r2), False, (theta, r1, r2))
        yield _same_pair(theta, 1.5)
    for s in (0.3, 1.0, 3.0):  # on a line with bias: z = (+-s, 1), |z|^2 = 1 + s^2, half the angle has tangent s
        data = make_dataset([[-s], [s]], [-1, 1], "line of two")
        r = math.hypot(1.0, s)
        yield _opposite_pair(data, True, (2.0 * math.atan(s), r, r))


def _opposite_pair(data: Dataset, bias: bool, geometry: tuple[float, float, float]) -> ClosedForm:
    """gamma = s r1 r2/(r1 + r2), s = sin(theta) up to a right angle (neurons perpendicular to the other point), then 1.

    gamma_2^2 = min_P P^2 K11 + (1-P)^2 K22 - 2 P (1-P) K12 = (K11 K22 - K12^2)/(K11 + K22 + 2 K12).
    """
    theta, r1, r2 = geometry
    sine = math.sin(min(theta, math.pi / 2))
    z = data.inputs(bias)
    own, other = z / np.linalg.norm(z, axis=1, keepdims=True), (z / np.linalg.norm(z, axis=1, keepdims=True))[::-1]
    if theta < math.pi / 2:
        own = own - math.cos(theta) * other
    k11, k22, k12 = r1 * r1 / 4, r2 * r2 / 4, r1 * r2 * float(kappa(math.cos(theta))) / 4
    return ClosedForm(
        "C3", f"two points theta={theta:.3g} r={r1:.3g},{r2:.3g}" + " with bias" * bias, data, bias,
        sine * r1 * r2 / (r1 + r2), math.sqrt((k11 * k22 - k12 * k12) / (k11 + k22 + 2 * k12)),
        r1 * r1 * sine / 2 if r1 == r2 else None,
        directions=own / np.linalg.norm(own, axis=1, keepdims=True), source="a neuron perpendicular to the other point",
    )  # fmt: skip


def _same_pair(theta: float, r: float) -> ClosedForm:
    """gamma = r max(cos(theta/2), 1/2): a neuron on the bisector, or one each; gamma_2^2 = (K11 + K12)/2."""
    z = small.two_points(theta, r, r).X
    data = make_dataset(z, [1, 1], "two points, same label", classes=(-1, 1))
    cosine = math.cos(theta / 2)
    directions = z.sum(axis=0, keepdims=True) / (2 * r * cosine) if cosine > 0.5 else z / r
    gamma_2 = r * math.sqrt((1.0 + float(kappa(math.cos(theta)))) / 8)
    return ClosedForm(
        "C3", f"two points theta={theta:.3g} r={r:.3g} same label", data, False, r * max(cosine, 0.5), gamma_2,
        directions=directions, source="bisector or one neuron each",
    )  # fmt: skip


def _three_points() -> Iterator[ClosedForm]:
    """C4: f(x) = alpha |x| - beta, alpha = 2/(4+s), beta = alpha s/2, against p = (1, 2+s, 1)/(4+s)."""
    for s in (0.25, 1.0, 4.0):
        yield ClosedForm(
            "C4", f"line -s,0,s with s={s:g}", small.three_points(s), True, s / (4 + s),
            directions=np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]), source="f = alpha |x| - beta",
        )  # fmt: skip


def _polygons() -> Iterator[ClosedForm]:
    """C5: alternating regular 2k-gon, delta = pi/k; for odd k >= 3 the features are dependent and gamma = 0."""
    for k, r in ((2, 1.0), (2, ROOT2), (4, 1.0), (6, 2.0), (8, 1.0), (3, 1.0), (5, 2.0)):
        data, delta = small.polygon(k, r), math.pi / k
        if k % 2:
            yield ClosedForm(
                "C5", f"{2 * k}-gon r={r:.3g}", data, False, 0.0, 0.0, separable=False, source="y odd in x"
            )
            continue
        gamma = r / (2 * k) * math.tan(delta / 2)
        gamma_2 = r / (2 * k) * math.sqrt((1 - math.sin(delta) / delta) / 2) / math.cos(delta / 2)
        squared = 0.25 * r * r if k == 2 else None
        yield ClosedForm(
            "C5", f"{2 * k}-gon r={r:.3g}", data, False, gamma, gamma_2, squared,
            directions=data.X / r, source="uniform adversary; each neuron points at a vertex",
        )  # fmt: skip


def _orthogonal() -> Iterator[ClosedForm]:
    """C6: orthogonally separable: gamma = m+ m-/(m+ + m-), m+- = dist(0, conv of the class), one neuron per class."""
    for k, r in ((2, 1.0), (4, 1.0), (5, 2.0), (8, 1.0)):
        data = small.orthogonal(k, r)
        plus, minus = int((data.y > 0).sum()), int((data.y < 0).sum())
        centres = np.array([np.where(data.y == s, 1.0, 0.0) / math.sqrt(m) for s, m in ((1, plus), (-1, minus))])
        yield ClosedForm(
            "C6", f"{k} orthogonal points r={r:g}", data, False, r / (math.sqrt(plus) + math.sqrt(minus)),
            _orthogonal_kernel_margin(plus, minus, r), directions=centres, source="class averages",
        )  # fmt: skip
    data = make_dataset([[3.0, 1.0], [1.0, 2.0], [-1.0, -1.0], [-4.0, -0.5]], [1, 1, -1, -1], "orthogonally separable")
    nearest = np.array([_nearest_to_zero(data.X[:2]), _nearest_to_zero(data.X[2:])])
    m = np.linalg.norm(nearest, axis=1)
    yield ClosedForm(
        "C6", "orthogonally separable, 2 + 2 points", data, False, float(m[0] * m[1] / (m[0] + m[1])),
        directions=nearest / m[:, None], source="nearest points of the class hulls",
    )  # fmt: skip


def _orthogonal_kernel_margin(plus: int, minus: int, r: float) -> float:
    """gamma_2^2 = (r^2/2D) min_P [(1 - 1/pi)(P^2/n+ + (1-P)^2/n-) + (2P-1)^2/pi]; kappa(0) = 1/pi."""
    diagonal, cross = 1 - 1 / math.pi, 1 / math.pi
    P = (diagonal / minus + 2 * cross) / (diagonal / plus + diagonal / minus + 4 * cross)
    value = diagonal * (P * P / plus + (1 - P) ** 2 / minus) + cross * (2 * P - 1) ** 2
    return r * math.sqrt(value / (2 * (plus + minus)))


def _cubes() -> Iterator[ClosedForm]:
    """C7 (Wei's set) and C8 (2-sparse parity): F1 margins without any dimension, F2 margins ~ 1/d.

    With bias the neurons keep bias 0 and the cosines become (x.x' + 1)/|z|^2. By symmetry the adversary is uniform, so
    gamma_2^2 = |z|^2/(2D) * (mean of y y' kappa), over S = the sum of d - 2 signs.
    """
    for d in (2, 3, 4, 6, 8):
        S, weight = _sign_sums(d - 2)
        for bias in (False, True):
            b, D = int(bias), d + bias
            tail, pad = " with bias" * bias, np.zeros((4, D - 2))
            corners = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]) / ROOT2
            norm2 = d + b
            mean = weight @ (kappa((S + 2 + b) / norm2) + kappa((S - 2 + b) / norm2) - 2 * kappa((S + b) / norm2)) / 4
            yield ClosedForm(
                "C8", f"parity d={d}{tail}", small.parity(d), bias, ROOT2 / 4, math.sqrt(norm2 / (2 * D) * mean),
                0.5 if (d, bias) == (2, False) else None,
                directions=np.hstack([corners, pad]), source="E[|u+S| - |v+S|]/4 <= |u|/4 at uniform p",
            )  # fmt: skip
            axes = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
            norm2 = d - 1 + b
            mean = weight @ (kappa((S + 1 + b) / norm2) + kappa((S - 1 + b) / norm2) - 2 * kappa((S + b) / norm2)) / 4
            yield ClosedForm(
                "C7", f"wei d={d}{tail}", small.wei(d), bias, 0.25, math.sqrt(norm2 / (2 * D) * mean),
                directions=np.hstack([axes, pad]), source="f = (|x1| - |x2|)/4",
            )  # fmt: skip


def _sign_sums(count: int) -> tuple[Array, Array]:
    """Values and probabilities of a sum of `count` fair signs."""
    heads = range(count + 1)
    return np.array([2.0 * h - count for h in heads]), np.array([math.comb(count, h) / 2.0**count for h in heads])


def _symmetric() -> Iterator[ClosedForm]:
    """C9: data closed under (x, y) -> (-x, -y): gamma = gamma_lin/2, gamma_2 = gamma_lin/(2 sqrt D), any D."""
    for half in (
        [[2.0, 1.0], [0.5, 1.5]],
        [[1.0, -0.5, 2.0], [3.0, 1.0, 0.5]],
        [[1.0, 0.0, 1.0, 2.0], [2.0, 1.0, 0.0, 0.5]],
    ):
        plus = np.array(half)
        data = make_dataset(np.vstack([plus, -plus]), [1, 1, -1, -1], "symmetric")
        nearest = _nearest_to_zero(plus)
        linear = float(np.linalg.norm(nearest))
        yield ClosedForm(
            "C9", f"symmetric linearly separable D={data.d}", data, False, linear / 2, linear / (2 * math.sqrt(data.d)),
            directions=np.array([nearest, -nearest]) / linear, source="kappa(c) - kappa(-c) = c",
        )  # fmt: skip


def _gaps() -> Iterator[ClosedForm]:
    """C10: alternating labels on a line, bias free: gamma = 1/sum_i (2/d_i + 2/d_{i+1}), and d/2 for two points."""
    for x in ([0.0, 3.0], [0.0, 1.0, 2.0], [-2.0, -0.5, 0.5, 3.0, 4.0], small.line(8, seed=1).X[:, 0].tolist()):
        data = make_dataset(np.array(x)[:, None], [(-1) ** i for i in range(len(x))], "alternating line")
        gaps = np.diff(x)
        gamma = float(gaps[0] / 2) if len(x) == 2 else 1.0 / float(np.sum(2 / gaps[:-1] + 2 / gaps[1:]))
        yield ClosedForm(
            "C10", f"alternating line n={len(x)}", data, True, gamma_savarese=gamma,
            source="linear spline with slopes +-2 gamma/d_i (Savarese et al. 2019)",
        )  # fmt: skip


def _nearest_to_zero(pair: Array) -> Array:
    """The point of the segment between two points that is nearest to 0."""
    u, v = pair
    return u + np.clip(u @ (u - v) / ((u - v) @ (u - v)), 0.0, 1.0) * (v - u)
