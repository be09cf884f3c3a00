"""What a check is expected to cost, by hand from the seconds per unit: rays, faces, entries, products."""

from math import comb

import numpy as np
import pytest

from maxmargin.check.cost import expected_cost

N, D, ATOMS = 40, 6, 5


def document(support=12, norm="f1", feature="relu", **more):
    problem = {"norm": norm, "feature": feature, "n": N, "d": D - 1, "bias": True}
    p = [1.0 / support] * support + [0.0] * (N - support)
    classifier = {"weights": [0.2] * ATOMS} if norm == "f1" else {"coefficients": [0.0] * (N - 3) + [1.0] * 3}
    return {"problem": problem, "adversary": p, "classifier": classifier, "scope": "sphere-exact"} | more


LOWER = 0.01 + 2e-9 * 4 * N * ATOMS * D + 6e-8 * 13 * ATOMS * D, 8.0 * (N * D + 3.0 * N * ATOMS)


@pytest.mark.parametrize(
    ("feature", "around"),
    [
        ("relu", 6e-7 * 3**5),
        ({"degree": 1}, 6e-7 * 3**5),
        ("squared-relu", 6e-6 * 2**6 * 4),
        ({"degree": 2}, 6e-6 * 2**6 * 4),
    ],
)
def test_an_enumeration_visits_all_faces_around_all_rays(feature, around):
    cost = expected_cost(document(feature=feature))
    rays = comb(12, 5)
    assert cost.seconds == pytest.approx(LOWER[0] + rays * (1e-5 + 1.5e-7 * 12 + around), rel=1e-9)
    assert cost.bytes == pytest.approx(LOWER[1] + 1e7)
    many = expected_cost(document(support=16, feature=feature))
    assert many.bytes == pytest.approx(LOWER[1] + 200e6)
    few = expected_cost(document(support=3, feature=feature))  # three points span three dimensions: three rays
    assert few.seconds < LOWER[0] + 3e-4


def test_a_kernel_has_pairs_of_all_points_with_those_that_count():
    cost = expected_cost(document(norm="f2"))
    assert cost.seconds == pytest.approx(0.01 + 2.5e-5 * N * 15)
    assert cost.bytes == pytest.approx(2000.0 * N * 15 + 300.0 * N * D)


def test_a_dictionary_is_multiplied_with_the_support():
    cost = expected_cost(document(scope="dictionary", dictionary=np.zeros((100, D)).tolist()))
    assert cost.seconds == pytest.approx(LOWER[0] + 2e-9 * 4 * 1200 * D)
    assert cost.bytes == pytest.approx(LOWER[1] + 40.0 * 1200)


def test_a_spectral_proof_has_matrices_of_the_span():
    cost = expected_cost(document(proof={"kind": "spectral"}))
    assert cost.seconds == pytest.approx(LOWER[0] + 2e-9 * (20 * (6**3 + 12 * 36) + 6 * 36))
    assert cost.bytes == pytest.approx(LOWER[1] + 100.0 * 6 * 18)
    few = expected_cost(document(support=4, proof={"kind": "spectral"}))
    wanted = 2e-9 * (20 * (4**3 + 4 * 16) + 6 * 16) - 6e-8 * 8 * ATOMS * D  # eight points of the support fewer
    assert few.seconds - LOWER[0] == pytest.approx(wanted, rel=1e-9, abs=1e-15)
    assert few.bytes == pytest.approx(LOWER[1] + 100.0 * 6 * 8)


@pytest.mark.parametrize(("name", "length"), [("omega", D), ("combinations", 12)])
def test_a_relaxation_has_a_matrix_for_each_leaf(name, length):
    leaf = {"value": 1.0, "mu": [0.0] * 30, name: []}
    other = {"value": 1.0, "mu": [0.0] * 20, name: []}
    proof = {
        "kind": "lifted-relaxation",
        "support": list(range(12)),
        "trees": [{"tree": {"plus": leaf, "minus": other}}],
    }
    cost = expected_cost(document(proof=proof))
    order = 1 + D + 12
    leaves = sum(2e-9 * (10 * (k * k * order + order**3) + k * length * D) + 1e-6 * k * length for k in (30, 20))
    assert cost.seconds == pytest.approx(LOWER[0] + 2e-9 * D * D * D + leaves)
    assert cost.bytes == pytest.approx(LOWER[1] + 100.0 * 900 + 60.0 * 30 * length)


@pytest.mark.parametrize("broken", [{}, {"problem": 3}, {"problem": {}}, {"adversary": None}])
def test_what_is_no_certificate_is_refused_at_no_cost(broken):
    cost = expected_cost(document() | broken if broken else {})
    assert cost.seconds == 0.01 and cost.bytes == 0.0
