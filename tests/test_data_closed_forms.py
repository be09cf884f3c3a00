"""The closed forms against computations that share nothing with them: linear programs over directions, NNLS for F2."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from scipy.optimize import linprog, nnls

from maxmargin.datasets.closed_forms import closed_forms

FORMS = list(closed_forms())


def _params(has):
    return [pytest.param(form, id=f"{form.id}-{form.name}") for form in FORMS if has(form)]


def _lp_margin(features, y):
    """max_{|w|_1 <= 1} min_i y_i sum_k w_k features[k, i]."""
    signed = features * y
    K, n = signed.shape
    rows = np.hstack([-signed.T, signed.T, np.ones((n, 1))])
    mass = np.concatenate([np.ones(2 * K), [0.0]])
    result = linprog(
        np.concatenate([np.zeros(2 * K), [-1.0]]),
        A_ub=np.vstack([rows, mass]),
        b_ub=np.concatenate([np.zeros(n), [1.0]]),
        bounds=[(0, None)] * (2 * K) + [(None, None)],
        method="highs",
    )
    return -result.fun


def _dictionary(z, directions, rng):
    """Random directions, the data, their perpendiculars in the plane, a fine circle, and the claimed optimum."""
    D = z.shape[1]
    parts = [rng.standard_normal((300, D)), z, -z]
    if D == 2:
        angle = 2 * np.pi * np.arange(1440) / 1440
        turned = z[:, ::-1] * [1.0, -1.0]
        parts += [np.column_stack([np.cos(angle), np.sin(angle)]), turned, -turned]
    if D == 3:
        crossed = np.cross(z[:, None], z).reshape(-1, 3)  # the vertices of the arrangement of the planes z_i^perp
        crossed = crossed[np.linalg.norm(crossed, axis=1) > 1e-9]
        parts += [crossed, -crossed]
    if directions is not None:
        parts.append(directions)
    stacked = np.vstack(parts)
    return stacked / np.linalg.norm(stacked, axis=1, keepdims=True)


@pytest.mark.parametrize("form", _params(lambda f: f.gamma_path is not None))
def test_no_dictionary_beats_the_f1_value_and_the_optimal_one_attains_it(form):
    z, y = form.dataset.inputs(form.bias), form.dataset.y
    relu = np.maximum(_dictionary(z, form.directions, np.random.default_rng(0)) @ z.T, 0.0)
    assert _lp_margin(relu, y) == pytest.approx(form.gamma_path, rel=1e-9, abs=1e-12)
    if form.directions is not None:
        assert np.linalg.norm(form.directions, axis=1) == pytest.approx(1.0, abs=1e-15)
        attained = _lp_margin(np.maximum(form.directions @ z.T, 0.0), y)
        assert attained == pytest.approx(form.gamma_path, rel=1e-10)


@pytest.mark.parametrize("form", _params(lambda f: f.gamma_squared_relu is not None))
def test_no_dictionary_beats_the_squared_relu_value(form):
    z, y = form.dataset.inputs(form.bias), form.dataset.y
    features = np.maximum(_dictionary(z, form.directions, np.random.default_rng(0)) @ z.T, 0.0) ** 2
    value = _lp_margin(features, y)
    assert value <= form.gamma_squared_relu * (1 + 1e-9)
    assert value >= form.gamma_squared_relu * (1 - 1e-4)


@pytest.mark.parametrize("form", _params(lambda f: f.gamma_2 is not None))
def test_f2_value_is_the_minimum_norm_point_of_the_kernel(form):
    """gamma_2^2 = min_p p'YKYp; with K = LL', NNLS on [L'Y; 1'] a = [0; 1] returns a ~ p (exact active set)."""
    z, y = form.dataset.inputs(form.bias), form.dataset.y
    norms = np.linalg.norm(z, axis=1)
    unit = z / norms[:, None]
    apart, together = unit[:, None] - unit, unit[:, None] + unit
    angle = 2 * np.arctan2(
        np.linalg.norm(apart, axis=2), np.linalg.norm(together, axis=2)
    )  # exact near 0, unlike arccos
    K = np.outer(norms, norms) * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi * z.shape[1])
    values, vectors = np.linalg.eigh(K * np.outer(y, y))
    root = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    a, _ = nnls(np.vstack([root, np.ones(len(y))]), np.append(np.zeros(len(y)), 1.0))
    p = a / a.sum()
    assert np.linalg.norm(root @ p) == pytest.approx(form.gamma_2, rel=1e-12, abs=1e-7)


@pytest.mark.parametrize("form", _params(lambda f: f.gamma_savarese is not None))
def test_savarese_value_is_the_best_bias_free_spline(form):
    """f = c + s x + sum_j u_j (x - t_j)_+, norm max(sum |u_j|, |f'(-inf) + f'(inf)|), knots also between the data."""
    x, y = form.dataset.X[:, 0], form.dataset.y
    knots = np.concatenate([x, (x[:-1] + x[1:]) / 2, (2 * x[:-1] + x[1:]) / 3])
    hinges = np.maximum(x[:, None] - knots, 0.0)
    values = np.hstack([np.ones((len(x), 1)), x[:, None], hinges, -hinges])
    ends = np.concatenate([[0.0, 2.0], np.ones(len(knots)), -np.ones(len(knots)), [0.0]])
    total = np.concatenate([[0.0, 0.0], np.ones(2 * len(knots)), [0.0]])
    result = linprog(
        -np.eye(len(total))[-1],
        A_ub=np.vstack([np.hstack([-y[:, None] * values, np.ones((len(x), 1))]), total, ends, -ends]),
        b_ub=np.concatenate([np.zeros(len(x)), np.ones(3)]),
        bounds=[(None, None)] * 2 + [(0, None)] * (2 * len(knots)) + [(None, None)],
        method="highs",
    )
    assert -result.fun == pytest.approx(form.gamma_savarese, rel=1e-9)


@pytest.mark.parametrize("form", _params(lambda f: f.gamma_path is not None and f.gamma_2 is not None))
def test_f2_never_exceeds_f1(form):
    assert form.gamma_2 <= form.gamma_path * (1 + 1e-14)


def test_every_family_is_present_and_named_uniquely():
    assert {form.id for form in FORMS} == {f"C{i}" for i in range(1, 11)}
    assert len({form.name for form in FORMS}) == len(FORMS)
    optional = [f.name for f in fields(FORMS[0]) if f.name.startswith("gamma")]
    assert all(any(getattr(form, name) is not None for name in optional) for form in FORMS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4-gon r=1", "wei d=2"),
        ("4-gon r=1.41", "parity d=2"),
        ("2 orthogonal points r=1", "two points theta=1.57 r=1,1"),
        ("antipodal r=1 D=2 opposite labels", "two points theta=3.14 r=1,1"),
        ("two points theta=1.57 r=1.41,1.41 with bias", "two points theta=1.57 r=1.41,1.41"),
    ],
)
def test_families_agree_where_they_meet(one, other):
    named = {form.name: form for form in FORMS}
    assert named[one].gamma_path == pytest.approx(named[other].gamma_path, rel=1e-14)
    assert named[one].gamma_2 == pytest.approx(named[other].gamma_2, rel=1e-14)


def test_values_quoted_in_the_theory_page():
    named = {form.name: form for form in FORMS}
    quoted = {2: 0.213126, 3: 0.143107, 4: 0.106563, 6: 0.069758, 8: 0.051660}
    for d, value in quoted.items():
        assert named[f"parity d={d}"].gamma_2 == pytest.approx(value, abs=5e-7)
    assert named["parity d=2 with bias"].gamma_2 == pytest.approx(0.143107, abs=5e-7)
    assert named["4-gon r=1.41"].gamma_path == pytest.approx(0.353553, abs=5e-7)
    assert named["4-gon r=1.41"].gamma_2 == pytest.approx(0.213126, abs=5e-7)
    ratios = [form.gamma_2 / form.gamma_path for form in FORMS if form.id == "C5" and form.separable]
    assert ratios[-1] == pytest.approx(3**-0.5, rel=0.01)
