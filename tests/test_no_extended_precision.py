"""Where long double is double (Windows, Apple silicon): every bracket still holds, and `doctor` says which it is.

The mode is emulated in a process of its own: NumPy's name is bound to float64 before the package is imported.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from maxmargin.cli import main

EMULATED = """
import json, sys
import numpy as np
np.longdouble = np.float64
import maxmargin as mm
from maxmargin.cli import main

alternating = lambda n: np.where(np.arange(n) % 2, 1.0, -1.0)
rng = np.random.default_rng(0)
cases = {
    "years": (2000.0 + np.arange(8.0)[:, None], {}),
    "years squared": (2000.0 + np.arange(8.0)[:, None], {"feature": "squared-relu"}),
    "1e8": (1e8 * np.array([[-2.0], [-1.0], [0.5], [3.0]]), {}),
    "norms 1e-3, 1e3": (np.array([[1e-3, 0.0], [1e3 * np.cos(1e-3), 1e3 * np.sin(1e-3)]]), {"bias": False}),
    "tiny": (1e-6 * rng.normal(size=(6, 2)), {}),
    "plain": (rng.normal(size=(12, 2)), {"bias": False}),
    "leaky": (rng.normal(size=(8, 2)), {"feature": mm.Feature("leaky", 1, 1.0, -0.3)}),
    "line": (rng.normal(size=(30, 1)), {}),
    "far": (rng.normal(size=(8, 2)) + 1e6, {}),
    "near": (np.array([[0.3], [0.3 + 1e-12], [0.7]]), {}),
}
found = {}
for name, (X, options) in cases.items():
    for norm in ("f1", "f2", "ntk"):
        y = alternating(len(X))
        certificate = mm.max_margin((X, y), norm, **options)
        verdict = mm.check_certificate(certificate.to_json(), X, y)
        values = y * certificate.decision_function(X)
        right = certificate.lower == 0.0 or bool(abs(values.min() / certificate.lower - 1.0) < 3e-6)
        found[f"{name}/{norm}"] = [certificate.relative_gap, verdict.holds and right, certificate.status.value]
print(json.dumps(found))
main(["doctor"])
"""


@pytest.fixture(scope="module")
def emulated():
    done = subprocess.run([sys.executable, "-W", "error", "-c", EMULATED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found, _, doctor = done.stdout.partition("\n")
    return json.loads(found), doctor


def test_every_bracket_holds_and_every_classifier_predicts_it(emulated):
    wrong = {name: row for name, row in emulated[0].items() if not row[1]}
    assert wrong == {}


def test_kernels_lose_nothing_and_f1_little(emulated):
    """Integers take over where kernels lose digits; F1's enumeration is left with the rounding of doubles."""
    for name, (gap, _, status) in emulated[0].items():
        limit = {"far/f1": 1e-5, "near/f1": 1e-4}.get(name, 1e-6 if name.endswith("f1") else 1e-9)
        assert gap <= limit, (name, gap, status)


def test_doctor_says_which_precision_there_is(emulated, capsys):
    assert "53 bits: no extended precision" in emulated[1]
    main(["doctor", "--json", "-"])
    bits = json.loads(capsys.readouterr().out)["long_double_bits"]
    assert 2.0 ** (1 - bits) == float(np.finfo(np.longdouble).eps)
