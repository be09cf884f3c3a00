"""The claim itself in rational arithmetic: every leaf of a stored proof has S positive definite, without any float."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.lifted.branch import tighten
from maxmargin.oracles.lifted.inequality import leaf_forms, walk

LEAKY = Feature("test-leaky", 1, 1.0, -0.1)


class Quadratic:
    """A quadratic form in v as a matrix of fractions, built from products of linear forms (dicts index -> fraction)."""

    def __init__(self, order):
        self.S = [[Fraction(0)] * order for _ in range(order)]

    def add(self, u, w, factor):
        for i, a in u.items():
            for j, b in w.items():
                self.S[i][j] += factor * a * b / 2
                self.S[j][i] += factor * a * b / 2

    def is_positive_definite(self):
        """Pivots of exact elimination, all positive."""
        S, M = self.S, len(self.S)
        for i in range(M):
            if S[i][i] <= 0:
                return False
            for r in range(i + 1, M):
                ratio = S[r][i] / S[i][i]
                S[r] = [x - ratio * z for x, z in zip(S[r], S[i], strict=True)]
        return True


def slack(Z, payoff, feature, path, leaf):
    """S of the identity in `lifted.inequality`, term by term from its text; payoff = s q on the support."""
    forms = leaf_forms(Z, path)
    linear = [{j: Fraction(float(x)) for j, x in enumerate(row) if x} for row in forms.L]
    D, S, r = Z.shape[1], Quadratic(forms.L.shape[1]), {0: Fraction(1)}
    S.add(r, r, Fraction(leaf["value"]) - Fraction(leaf["rho"]))
    for j in range(1, 1 + D):
        S.add({j: Fraction(1)}, {j: Fraction(1)}, Fraction(leaf["rho"]))
    for index, coefficient in ((forms.right, feature.right), (forms.left, feature.left)):
        for i, k in enumerate(index):
            if k >= 0:
                other = r if feature.degree == 1 else linear[k]
                S.add(other, linear[k], -Fraction(coefficient) * Fraction(payoff[i]))
    for form, mu, omega in zip(linear, leaf["mu"], leaf["omega"], strict=True):
        omega = {1 + j: Fraction(x) for j, x in enumerate(omega)}
        assert mu >= 0 and Fraction(mu) ** 2 >= sum(x * x for x in omega.values())
        S.add(r, form, -Fraction(mu))
        S.add(omega, form, Fraction(1))
    signed = set(zip(*(index.tolist() for index in forms.complementary), strict=True))
    for k, l, value in zip(leaf["rows"], leaf["cols"], leaf["values"], strict=True):
        assert value >= 0 or (k, l) in signed
        S.add(linear[k], linear[l], -Fraction(value))
    return S


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU, LEAKY], ids=lambda f: f.name)
def test_every_leaf_holds_in_rational_arithmetic(feature):
    rng = np.random.default_rng(8)
    Z, y = rng.standard_normal((7, 3)), rng.choice([-1.0, 1.0], 7)
    result = tighten(Z, y, feature, max_rounds=6)
    support = np.array(result.proof["support"])
    q = (result.adversary * y)[support]
    leaves = 0
    for tree in result.proof["trees"]:
        for path, leaf in walk(tree["tree"], Z, support):
            assert leaf["value"] <= result.bound
            assert slack(Z[support], tree["sign"] * q, feature, path, leaf).is_positive_definite()
            leaves += 1
    assert leaves == result.nodes
