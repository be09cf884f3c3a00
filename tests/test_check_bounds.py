"""The checker accepts exactly the true brackets: closed forms, to the last digits, on either side."""

import itertools
import math

import numpy as np
import pytest
from check_support import HALF, around, certificate, line, refused, xor

from maxmargin.check import check_certificate

CASES = {"xor": xor, "line": line, "line, far": lambda: line(40.0)}


def build(case, bracket, **problem):
    X, y, classifier, p, _ = case
    bias = X.shape[1] < len(classifier["directions"][0])
    return certificate(X, y, classifier, p, bracket, bias=bias, **problem), X, y


@pytest.mark.parametrize("name", CASES)
def test_the_closed_form_is_proved_and_nothing_sharper(name):
    case = CASES[name]()
    gamma = case[-1]
    assert check_certificate(*build(case, around(gamma))).holds
    assert refused(check_certificate(*build(case, (gamma * (1 + 1e-14), gamma * (1 + 2e-14)))))
    assert refused(check_certificate(*build(case, (gamma * (1 - 2e-14), gamma * (1 - 1e-14)))))


@pytest.mark.parametrize("name", CASES)
def test_the_sphere_convention_is_half_of_the_path_convention(name):
    case = CASES[name]()
    assert check_certificate(*build(case, around(case[-1] / 2), convention="sphere")).holds
    assert refused(check_certificate(*build(case, around(case[-1]), convention="sphere")))
    assert refused(check_certificate(*build(case, around(case[-1] / 2), convention="path")))


def test_a_wider_bracket_is_true():
    case = xor()
    assert check_certificate(*build(case, (0.1, 0.9))).holds
    assert check_certificate(*build(case, (0.0, 0.9))).holds


def squared(case, bracket, **problem):
    return build(case, bracket, feature="squared-relu", **problem)


@pytest.mark.parametrize("convention", ["sphere", "path"])
def test_squared_relu_on_xor_has_margin_one_half_in_both_conventions(convention):
    assert check_certificate(*squared(xor(), around(0.5), convention=convention)).holds
    assert refused(check_certificate(*squared(xor(), (0.5 * (1 + 1e-13), 0.5 * (1 + 2e-13)))))
    assert refused(check_certificate(*squared(xor(), (0.4, 0.5 * (1 - 1e-13)))))


@pytest.mark.parametrize("theta", [0.3, 1.2, math.pi / 2, 2.5])
@pytest.mark.parametrize("D", [2, 3, 4])
def test_two_points_of_opposite_label(theta, D):
    # closed form C3: neurons perpendicular to the other point, s r1 r2 / (r1 + r2)
    r1, r2 = 1.0, 2.5
    X = np.zeros((2, D))
    X[0, 0], X[1, :2] = r1, (r2 * math.cos(theta), r2 * math.sin(theta))
    y, p = np.array([1.0, -1.0]), [r2 / (r1 + r2), r1 / (r1 + r2)]
    acute = theta <= math.pi / 2
    first = [math.sin(theta), -math.cos(theta)] if acute else [1.0, 0.0]
    second = [0.0, 1.0] if acute else [math.cos(theta), math.sin(theta)]
    directions = np.zeros((2, D))
    directions[:, :2] = first, second
    gamma = (math.sin(theta) if acute else 1.0) * r1 * r2 / (r1 + r2)
    classifier = {"directions": directions.tolist(), "weights": [p[0], -p[1]]}
    case = (X, y, classifier, p, gamma)
    assert check_certificate(*build(case, around(gamma, 1e-13))).holds
    assert refused(check_certificate(*build(case, (0.0, gamma * (1 - 1e-13)))))


@pytest.mark.parametrize("d", [2, 3, 4])
def test_parity_has_the_same_margin_in_every_dimension(d):
    # closed form C8, with a bias: everything is degenerate, and the dimension of the sphere reaches 5
    X = np.array(list(itertools.product((-1.0, 1.0), repeat=d)))
    y = X[:, 0] * X[:, 1]
    directions = np.zeros((4, d + 1))
    directions[:, :2] = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]]) * HALF
    classifier = {"directions": directions.tolist(), "weights": [0.25, 0.25, -0.25, -0.25]}
    case = (X, y, classifier, [1.0 / len(X)] * len(X), math.sqrt(2.0) / 4.0)
    assert check_certificate(*build(case, around(case[-1]))).holds
    assert refused(check_certificate(*build(case, (0.0, case[-1] * (1 - 1e-14)))))


def payoff_bound(X, y, p, feature, directions):
    U = np.hstack([X, np.ones((len(X), 1))]) @ directions.T
    by_name = {"relu": (1, 1.0, 0.0), "squared-relu": (2, 1.0, 0.0)}
    k, right, left = by_name[feature] if isinstance(feature, str) else [feature[v] for v in ("degree", "right", "left")]
    sigma = right * np.maximum(U, 0.0) ** k + left * np.maximum(-U, 0.0) ** k
    return np.abs((p * y) @ sigma).max()


FEATURES = [
    "relu",
    "squared-relu",
    {"name": "leaky", "degree": 1, "right": 1.0, "left": -0.1},
    {"name": "square", "degree": 2, "right": 1.0, "left": 0.3},
]


@pytest.mark.parametrize("feature", FEATURES, ids=str)
@pytest.mark.parametrize("seed", range(6))
def test_the_smallest_accepted_upper_end_is_the_largest_payoff(feature, seed):
    rng = np.random.default_rng(seed)
    n, d = (7, 1) if seed % 2 else (6, 2)
    X, y, p = rng.normal(size=(n, d)), rng.choice([-1.0, 1.0], size=n), rng.dirichlet(np.ones(n))
    X[1], X[2] = X[0], 0.0
    classifier = {"directions": [[0.0] * d + [1.0]], "weights": [1.0]}

    def holds(upper):
        return check_certificate(certificate(X, y, classifier, p, (0.0, upper), feature=feature), X, y).holds

    low, high = 0.0, 100.0
    assert holds(high)
    while high - low > 1e-9 * high:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if holds(middle) else (middle, high)
    samples = rng.normal(size=(200_000, d + 1))
    sampled = payoff_bound(X, y, p, feature, samples / np.linalg.norm(samples, axis=1, keepdims=True))
    assert sampled <= high * (1 + 1e-12)
    assert high <= sampled * (1 + 2e-3)


def test_not_separable_needs_an_adversary_that_starves_every_neuron():
    # a duplicated point with both labels: the two payoffs cancel exactly
    X, y = np.array([[0.3, 0.7], [0.3, 0.7], [1.0, 0.0]]), np.array([1.0, -1.0, 1.0])
    classifier = {"directions": [[0.0, 0.0, 1.0]], "weights": [1.0]}
    proof = certificate(X, y, classifier, [0.5, 0.5, 0.0], (0.0, 0.0), status="not-separable")
    assert check_certificate(proof, X, y).holds
    wrong = certificate(X, y, classifier, [0.5, 0.4, 0.1], (0.0, 0.0), status="not-separable")
    assert refused(check_certificate(wrong, X, y))
    wide = certificate(X, y, classifier, [0.5, 0.5, 0.0], (0.0, 0.1), status="not-separable")
    assert refused(check_certificate(wide, X, y))
