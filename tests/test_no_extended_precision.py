"""Where long double is float64 (Windows, Apple silicon), brackets are as sound: hard scales, every norm."""

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from oracle_reference import exact_maximum

from maxmargin.features import Feature
from maxmargin.oracles.enumeration.degree1 import ExtendedArrangementOracle
from maxmargin.oracles.selection import certifying_oracle

SCRIPT = """
import numpy as np
np.longdouble = np.float64
import maxmargin as mm
rng = np.random.default_rng(0)
games = []
for scale, shift in ((1.0, 0.0), (1e-6, 0.0), (1.0, 2000.0), (1e6, 0.0)):
    X = scale * rng.normal(size=(7, 2)) + shift
    games.append((X, np.array([1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0])))
features = ["relu", "squared-relu", mm.Feature("leaky", 1, 1.0, -(1.0 - 1e-7))]
for X, y in games:
    for norm in ("f1", "f2", "ntk"):
        for feature in features[: 3 if norm == "f1" else 2]:
            c = mm.max_margin((X, y), norm, feature=feature, max_rounds=25, self_check=False)
            verdict = mm.check_certificate(c.to_json(), X, y)
            assert verdict.holds or not verdict.settled, (norm, feature, verdict.reason)
print("done")
"""


def test_every_norm_at_hard_scales_is_accepted_by_the_referee():
    environment, command = os.environ | {"OPENBLAS_NUM_THREADS": "1"}, [sys.executable, "-c", SCRIPT]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert answer.stdout.strip() == "done", answer.stderr[-2000:]


@pytest.mark.parametrize("gap", [1e-5, 1e-9])
def test_the_certifying_oracle_reads_the_precision_that_it_has(gap, monkeypatch):
    feature = Feature("nearly", 1, 1.0, -(1.0 - gap))
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(5, 3)) + 20.0 * np.eye(1, 3, 2)
    q = np.linalg.svd(Z.T)[2][-1]
    sharp = certifying_oracle(Z, feature)(q).bound
    monkeypatch.setattr(np, "longdouble", np.float64)
    coarse = ExtendedArrangementOracle(Z, feature)(q).bound
    truth = exact_maximum(Z, q, feature)
    assert truth <= Fraction(sharp) and truth <= Fraction(coarse)
