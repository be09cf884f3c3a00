"""Breaking the code turns the verdict: a factor, a kernel, a closed form, a step, a norm, a bound."""

import dataclasses

import numpy as np
import pytest

from maxmargin.theory import (
    claims_definitions,
    claims_flow,
    claims_generalization,
    claims_margins,
    claims_rates,
)
from maxmargin.theory.claims import CLAIMS
from maxmargin.theory.ledger import FAILS

KNOWN = {claim.id: claim for claim in CLAIMS}


def verdict(name):
    return KNOWN[name].run().verdict


@pytest.fixture(autouse=True)
def forget():
    """Runs shared by several claims are made anew, and not left behind broken."""
    caches = (claims_flow._xor_run, claims_flow._line_run, claims_rates._output_run, claims_rates._output_rate)
    caches = (*caches, claims_rates._small_start)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


def test_a_wrong_factor(monkeypatch):
    monkeypatch.setattr("maxmargin.games.variation.variation_factor", lambda degree, convention: 0.5)
    assert verdict("prop9-factor") == FAILS
    assert verdict("c1-f1") == FAILS


def test_a_wrong_kernel(monkeypatch):
    from maxmargin.features.kernels import Kernel

    right = Kernel._profile
    monkeypatch.setattr(Kernel, "_profile", lambda self, angles, D: 1.02 * right(self, angles, D))
    assert verdict("kernel-arc-cosine") == FAILS
    assert verdict("c5-f2") == FAILS


def test_a_wrong_kernel_factor(monkeypatch):
    monkeypatch.setattr("maxmargin.features.kernels.kernel_factor", lambda degree, D, weights: 1.0)
    assert verdict("kernel-sqrt-d") == FAILS


def test_a_wrong_closed_form(monkeypatch):
    forms = [
        dataclasses.replace(form, gamma_path=1.001 * form.gamma_path) if form.id == "C4" else form
        for form in claims_margins.closed_forms()
    ]
    monkeypatch.setattr(claims_margins, "closed_forms", lambda: iter(forms))
    assert verdict("c4-f1") == FAILS
    assert verdict("c1-f1") != FAILS


def test_a_wrong_step(monkeypatch):
    """Output weights that move half as fast as the flow: nothing is conserved any more."""
    right = claims_flow.trajectory

    def halved(network, *arguments):
        return [
            dataclasses.replace(later, output=0.5 * (network.output + later.output))
            for later in right(network, *arguments)
        ]

    monkeypatch.setattr(claims_flow, "trajectory", halved)
    assert verdict("lemma26-flow") == FAILS


def test_a_flow_that_stops_early(monkeypatch):
    right = claims_flow.train
    monkeypatch.setattr(claims_flow, "train", lambda *a, **options: right(*a, **options | {"steps": 8}))
    for name in ("cor4-xor", "cor4-line", "thm3-adversary", "thm3-measure"):
        assert verdict(name) == FAILS


def test_a_limit_that_is_not_reached(monkeypatch):
    right = claims_rates.train
    monkeypatch.setattr(claims_rates, "train", lambda *a, **options: right(*a, **options | {"steps": 20}))
    assert verdict("flow-reaches-the-limit") == FAILS


def test_a_neuron_that_nobody_pays(monkeypatch):
    """Added with the other sign it brings nothing."""
    right = claims_rates.with_neuron
    monkeypatch.setattr(claims_rates, "with_neuron", lambda net, a, sign: right(net, a, -sign))
    assert verdict("small-start-loses-directions") == FAILS


def test_a_wrong_soft_minimum(monkeypatch):
    from maxmargin.flow.loss import Loss

    right = Loss.evaluate
    monkeypatch.setattr(Loss, "evaluate", lambda self, u: (right(self, u)[0] + 0.1, right(self, u)[1]))
    assert verdict("eq14-upper") == FAILS


def test_a_wrong_distance(monkeypatch):
    right = claims_generalization.interclass_distance

    def longer(*arguments, **options):
        found = right(*arguments, **options)
        return dataclasses.replace(found, lower=1.1 * found.lower)

    monkeypatch.setattr(claims_generalization, "interclass_distance", longer)
    assert verdict("delta-by-hand") == FAILS
    assert verdict("delta-upper") == FAILS


def test_a_slip_that_is_none(monkeypatch):
    """Were the printed inequality true, the ledger would have to withdraw its refutation."""
    right = claims_definitions.max_margin

    def half(data, norm="f1", **options):
        found = right(data, norm, **options)
        factor = 0.5 if norm == "f2" else 1.0
        return dataclasses.replace(
            found, bracket=dataclasses.replace(found.bracket, lower=factor * found.lower, upper=factor * found.upper)
        )

    monkeypatch.setattr(claims_definitions, "max_margin", half)
    assert verdict("f1-below-f2") == FAILS


def test_a_wrong_bound(monkeypatch):
    """A Proposition 7 with a constant that is too good is caught."""
    right = claims_rates.proposition_7

    def better(*arguments, **options):
        rate = right(*arguments, **options)
        return dataclasses.replace(rate, bound=rate.gamma - 0.01 * (rate.gamma - rate.bound))

    monkeypatch.setattr(claims_rates, "proposition_7", better)
    assert verdict("prop7-bound") == FAILS


def test_interclass_distance_refuses_one_class():
    from maxmargin.errors import InputError
    from maxmargin.theory.interclass import interclass_distance

    X = np.eye(3)
    with pytest.raises(InputError, match="single class"):
        interclass_distance(X, np.ones(3), 1)
    with pytest.raises(InputError, match="rank"):
        interclass_distance(X, np.array([1.0, -1, 1]), 0)
