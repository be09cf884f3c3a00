"""Every route to a margin (our engines, CVXPY with each solver, the whole sphere) against the margins known by hand."""

from __future__ import annotations

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.datasets.closed_forms import closed_forms

FORMS = {form.name: form for form in closed_forms()}
VARIATION = [name for name, form in FORMS.items() if form.gamma_path is not None]
KERNEL = [name for name, form in FORMS.items() if form.gamma_2 is not None]
SQUARED = [name for name, form in FORMS.items() if form.gamma_squared_relu is not None]
SMALL = [name for name in VARIATION if FORMS[name].dataset.n <= 16 and FORMS[name].separable]

# A closed form is itself a rounded float64 number.
ULPS = 1e-13


def solve(name: str, norm: str, **options) -> mm.Certificate:
    form = FORMS[name]
    return mm.max_margin(form.dataset, norm, bias=form.bias, convention="path", **options)


def encloses(certificate: mm.Certificate, value: float) -> bool:
    return certificate.lower <= value * (1 + ULPS) + 1e-15 and value * (1 - ULPS) <= certificate.upper + 1e-15


@pytest.mark.parametrize("name", KERNEL)
def test_kernel_margin(name):
    certificate = solve(name, "f2")
    assert encloses(certificate, FORMS[name].gamma_2)
    if FORMS[name].separable:
        assert certificate.relative_gap <= 1e-10
        assert certificate.lower == pytest.approx(FORMS[name].gamma_2, rel=1e-10)
    else:
        assert certificate.status == "not-separable"


@pytest.mark.parametrize("name", [name for name in VARIATION if FORMS[name].directions is not None])
def test_dictionary_with_the_optimal_neurons(name):
    """The closed form to 1e-9, and never above it: a dictionary cannot beat the sphere."""
    certificate = solve(name, "f1", directions=FORMS[name].directions)
    value = FORMS[name].gamma_path
    assert certificate.scope == "dictionary"
    assert certificate.lower == pytest.approx(value, rel=1e-9)
    assert certificate.lower <= value * (1 + ULPS)


@pytest.mark.parametrize("name", VARIATION)
def test_all_neurons(name):
    """The same without being given any direction; above D = 3 the upper end may be loose, the lower may not."""
    form = FORMS[name]
    certificate = solve(name, "f1")
    assert encloses(certificate, form.gamma_path)
    if not form.separable:
        assert certificate.status == "not-separable"
        return
    assert certificate.lower == pytest.approx(form.gamma_path, rel=1e-9)
    if form.dataset.d + form.bias <= 3:
        assert certificate.relative_gap <= 1e-9
        assert certificate.scope == "sphere-exact"


@pytest.mark.parametrize("name", SQUARED)
def test_all_squared_neurons(name):
    certificate = solve(name, "f1", feature="squared-relu")
    assert encloses(certificate, FORMS[name].gamma_squared_relu)
    assert certificate.lower == pytest.approx(FORMS[name].gamma_squared_relu, rel=1e-9)


@pytest.mark.parametrize("solver", ["highs", "clarabel", "scs", "osqp", "scipy"])
@pytest.mark.parametrize("name", [name for name in SMALL if FORMS[name].directions is not None])
def test_every_solver_agrees_on_the_dictionary(name, solver):
    """CVXPY's answer, certified by us, brackets the closed form; first-order solvers may leave a visible gap."""
    certificate = solve(name, "f1", directions=FORMS[name].directions, solver=solver)
    assert encloses(certificate, FORMS[name].gamma_path)
    assert certificate.relative_gap <= (1e-9 if solver in ("highs", "scipy") else 1e-5)
    assert certificate.attempts[0].name == f"cvxpy/{solver}"


@pytest.mark.parametrize("solver", ["clarabel", "scs", "osqp", "highs"])
@pytest.mark.parametrize("name", [name for name in KERNEL if FORMS[name].dataset.n <= 16 and FORMS[name].separable])
def test_every_solver_agrees_on_the_kernel(name, solver):
    certificate = solve(name, "f2", solver=solver)
    assert encloses(certificate, FORMS[name].gamma_2)
    assert certificate.relative_gap <= 1e-4


def test_a_failed_solver_is_on_record():
    """Duplicate points with opposite labels: the program has no solution, and the certificate says who proved it."""
    X, y = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]]), np.array([-1.0, 1.0, 1.0])
    certificate = mm.max_margin((X, y), "f2", solver="clarabel")
    assert certificate.status == "not-separable"
    assert [attempt.name for attempt in certificate.attempts] == ["cvxpy/clarabel", "min-norm-point"]
    assert certificate.adversary == pytest.approx([0.5, 0.5, 0.0])


def test_kernel_margin_is_at_most_the_variation_margin():
    """gamma_2 <= gamma_1 in the path convention, by Jensen's inequality (docs/theory.rst, A1)."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        X, y = rng.standard_normal((12, 2)), np.where(rng.random(12) < 0.5, -1.0, 1.0)
        y[:2] = -1, 1
        f1 = mm.max_margin((X, y), "f1", convention="path")
        assert mm.max_margin((X, y), "f2").lower <= f1.upper
        gaussian = mm.max_margin((X, y), "f2", weights="gaussian")
        assert gaussian.lower == pytest.approx(np.sqrt(3) * mm.max_margin((X, y), "f2").lower, rel=1e-9)


@pytest.mark.parametrize("norm", ["f1", "f2", "ntk"])
@pytest.mark.parametrize("feature", ["relu", "squared-relu"])
def test_invariances(norm, feature):
    """Label flip, permutation, duplicates, rotation and scale: gamma(c z) = c^k gamma(z)."""
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((9, 2)), np.array([1, -1, 1, 1, -1, -1, 1, -1, 1.0])
    gamma = margin(X, y, norm, feature)
    order, angle, degree = rng.permutation(9), 0.7, {"relu": 1, "squared-relu": 2}[feature]
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert margin(X, -y, norm, feature) == pytest.approx(gamma, rel=1e-9)
    assert margin(X[order], y[order], norm, feature) == pytest.approx(gamma, rel=1e-9)
    assert margin(np.vstack([X, X[:3]]), np.r_[y, y[:3]], norm, feature) == pytest.approx(gamma, rel=1e-9)
    assert margin(X @ rotation, y, norm, feature) == pytest.approx(gamma, rel=1e-9)
    for c in (1e-6, 1e6):
        assert margin(c * X, y, norm, feature) == pytest.approx(c**degree * gamma, rel=1e-9)
    assert margin(np.vstack([X, 2 * X[:1]]), np.r_[y, y[:1]], norm, feature) <= gamma * (1 + 1e-9)


def margin(X, y, norm: str, feature: str) -> float:
    certificate = mm.max_margin((X, y), norm, bias=False, feature=feature)
    assert certificate.relative_gap <= 1e-9
    return certificate.lower
