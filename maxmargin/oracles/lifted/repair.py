r"""From approximate multipliers to a leaf of a proof: round them, then make S semidefinite with other multipliers.

With S = [[t - rho, b'], [b, R]] and R > 0, S >= 0 iff t >= rho + b'R^{-1}b: once R is positive definite, the best t is
known. R is lifted by a valid form: with u_i = z_i.a and h'_i = h_i - u_i, ``delta nu_i (u_i^2 - h_i^2)``, which is
``delta nu_i (h'_i^2 - 2 h_i h'_i)``, adds delta nu_i to R on h_i and takes delta nu_i z_i z_i' from it on a; raising
rho by kappa pays for the latter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...conventions import Array
from .inequality import Forms, is_positive_semidefinite, slack_matrix

DIGITS = 7  # significant digits of the stored multipliers; what rounding costs is repaired like any other error


def rescale(leaf: dict[str, Any], forms: Forms, lengths: Array, scale: float) -> dict[str, Any]:
    """Multipliers found for unit points and payoffs y_i |z_i|^degree / scale, in the units of the data.

    `lengths` (N,) are the |z_i|; a form of a free point or of a split on a point grows by that length.
    """
    size = np.ones(len(forms.L))
    for index in (forms.right, forms.left):
        used = index >= 0
        size[index[used]] = lengths[used]
    return {
        "rho": scale * leaf["rho"],
        "mu": scale * leaf["mu"] / size,
        "omega": scale * leaf["omega"] / size[:, None],
        "pairs": scale * leaf["pairs"] / np.outer(size, size),
    }


def truncate(leaf: dict[str, Any], forms: Forms) -> dict[str, Any]:
    """Multipliers with few digits, with their signs and in their cones; tiny pairs dropped."""
    pairs = _significant(leaf["pairs"])
    k, l = forms.complementary
    signed = np.zeros(pairs.shape, dtype=bool)
    signed[k, l] = signed[l, k] = True
    pairs = np.where(signed | (pairs > 1e-7 * np.abs(pairs).max(initial=0.0)), pairs, 0.0)
    omega = _significant(leaf["omega"])
    # Outward, so that mu >= |omega| holds in exact arithmetic too.
    mu = np.maximum(_significant(leaf["mu"]), np.linalg.norm(omega, axis=1) * (1.0 + 1e-14))
    return {"rho": leaf["rho"], "mu": mu, "omega": omega, "pairs": pairs}


def repair(Z: Array, forms: Forms, degree: int, payoff: Array, leaf: dict[str, Any]) -> dict[str, Any]:
    """The leaf with rho, pairs and "value" such that S is positive definite, and the value as small as a search finds.

    Parameters
    ----------
    Z : (N, D) support points.
    payoff : (K,) s times `inequality.payoff_weights`.
    leaf : truncated multipliers.
    """
    leaf = {**leaf, "value": 0.0}
    nu = 1.0 / np.maximum((Z[forms.free] ** 2).sum(axis=1), 1e-300)
    S, _ = slack_matrix(forms, degree, payoff, leaf)
    delta, kappa, size = _cheapest_lift(S, Z[forms.free], nu)
    spread = float(np.linalg.norm((Z[forms.free].T * nu) @ Z[forms.free]))
    for attempt in range(60):
        lifted = _lift(leaf, forms, nu, delta, kappa)
        S, error = slack_matrix(forms, degree, payoff, lifted)
        value = _schur(S, error, size)
        if value is not None:
            lifted["value"] = value
            return lifted
        more = 2.0**attempt * 1e-11 * size
        delta, kappa = delta + more, kappa + more * (1.0 + spread)
    raise np.linalg.LinAlgError("repair: the slack matrix is not finite")


def _cheapest_lift(S: Array, free: Array, nu: Array) -> tuple[float, float, float]:
    """(delta, kappa) that minimise kappa + b'R^{-1}b, R lifted by delta on h and kappa on a; and the size of R.

    For each delta, h is eliminated with the eigenvectors of its block, then kappa is found from those of what is
    left on a.
    """
    D = free.shape[1]
    unit = np.sqrt(nu)
    levels, E = np.linalg.eigh(S[1 + D :, 1 + D :] / np.outer(unit, unit))
    cross, b_h = (S[1 : 1 + D, 1 + D :] / unit) @ E, E.T @ (S[1 + D :, 0] / unit)
    outer = (free.T * nu) @ free
    size = max(float(np.abs(S[1 : 1 + D, 1 : 1 + D]).max()), float(np.abs(levels).max(initial=0.0)), 1e-300)
    floor = max(0.0, -float(levels.min(initial=0.0)))

    def values(deltas: Array) -> tuple[Array, Array]:
        """Value and best kappa for each delta."""
        inverse = 1.0 / (levels + deltas[:, None])
        rest = S[1 : 1 + D, 1 : 1 + D] - deltas[:, None, None] * outer - (cross * inverse[:, None]) @ cross.T
        eigenvalues, vectors = np.linalg.eigh(rest)
        b = S[1 : 1 + D, 0] - (inverse * b_h) @ cross.T
        square = (b[:, None] @ vectors)[:, 0] ** 2
        above = _secular(eigenvalues - eigenvalues[:, :1], square, 1e-9 * size)
        fraction = (square / (eigenvalues - eigenvalues[:, :1] + above[:, None])).sum(axis=1)
        return above - eigenvalues[:, 0] + fraction + inverse @ b_h**2, above - eigenvalues[:, 0]

    grid = size * np.geomspace(1e-9, 3.0, 40)
    for _ in range(2):
        value, kappa = values(floor + grid)
        k = int(np.argmin(value))
        best = float(floor + grid[k]), float(kappa[k]), size
        grid = np.geomspace(grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)], 20)
    return best


def _secular(gaps: Array, square: Array, least: float) -> Array:
    """The x >= least that minimises x + sum_j square_j / (gaps_j + x), row by row: the root of its derivative."""
    low = np.full(len(gaps), least)
    high = least + np.sqrt(square.sum(axis=1))
    for _ in range(50):
        x = np.sqrt(low * high)
        inside = (square / (gaps + x[:, None]) ** 2).sum(axis=1) > 1.0
        low, high = np.where(inside, x, low), np.where(inside, high, x)
    return high


def _lift(leaf: dict[str, Any], forms: Forms, nu: Array, delta: float, kappa: float) -> dict[str, Any]:
    k, l = forms.complementary
    pairs = leaf["pairs"].copy()
    pairs[l, l] += delta * nu
    pairs[k, l] -= delta * nu
    pairs[l, k] -= delta * nu
    return {**leaf, "rho": leaf["rho"] + kappa, "pairs": pairs}


def _schur(S: Array, error: Array, size: float) -> float | None:
    """The t that makes S + t e_r e_r' provably positive semidefinite, or None when R is too close to singular."""
    e = np.sqrt(np.maximum(np.diag(S)[1:], 1e-300))
    try:
        half = np.linalg.solve(np.linalg.cholesky(S[1:, 1:] / np.outer(e, e)), S[1:, 0] / e)
    except np.linalg.LinAlgError:
        return None
    # The stated value is a hair above its infimum, or no test in floating point could confirm it.
    value = float(half @ half - S[0, 0])
    value += 1e-10 * (abs(value) + size)
    full = S.copy()
    full[0, 0] += value
    powers = np.exp2(np.round(0.5 * np.log2(np.maximum(np.diag(full), 1e-300))))
    scale = np.outer(powers, powers)
    return value if is_positive_semidefinite(full / scale, 1.1 * float(np.linalg.norm(error / scale))) else None


def pack(leaf: dict[str, Any]) -> dict[str, Any]:
    """JSON form of a repaired leaf: l_k l_l with k < l carries both entries of the symmetric matrix."""
    upper = np.triu(leaf["pairs"], 1) * 2.0 + np.diag(np.diag(leaf["pairs"]))
    rows, cols = np.nonzero(upper)
    return {
        "value": leaf["value"],
        "rho": leaf["rho"],
        "mu": leaf["mu"].tolist(),
        "omega": leaf["omega"].tolist(),
        "rows": rows.tolist(),
        "cols": cols.tolist(),
        "values": upper[rows, cols].tolist(),
    }


def _significant(values: Array) -> Array:
    """Rounded to DIGITS significant decimal digits."""
    exponent = np.floor(np.log10(np.maximum(np.abs(values), 1e-290)))
    unit = 10.0 ** (DIGITS - 1 - exponent)
    return np.round(values * unit) / unit
