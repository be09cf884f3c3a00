"""A digit that breaks the claim is refused, whichever digit it is; a change that leaves it true passes."""

import copy

import numpy as np
import pytest
from check_support import refused

import maxmargin as mm
from maxmargin.check import check_certificate
from maxmargin.errors import InputError

DIRECTIONS = np.vstack([np.eye(3), -np.eye(3), np.random.default_rng(0).normal(size=(300, 3))])
KINDS = {
    "f1": {},
    "squared-relu": {"feature": "squared-relu"},
    "dictionary": {"directions": DIRECTIONS / np.linalg.norm(DIRECTIONS, axis=1, keepdims=True)},
    "f2": {"norm": "f2"},
    "ntk": {"norm": "ntk", "weights": "gaussian"},
}
DATA = mm.load("clusters:n=30,d=3,k=2,seed=0")


@pytest.fixture(scope="module", params=KINDS)
def genuine(request):
    return request.param, mm.max_margin(DATA, **KINDS[request.param]).to_json()


def check(document, X=DATA.X, y=DATA.y, directions=None):
    return check_certificate(document, X, y, directions)


def given(kind):
    return KINDS[kind].get("directions")


def set_path(*path):
    """A tampering that replaces the value at a path of the document."""
    *way, last, value = path

    def tamper(document):
        for name in way:
            document = document[name]
        document[last] = value(document[last]) if callable(value) else value

    return tamper


def gap_follows(tamper):
    """The same tampering, done by someone who keeps the gap consistent with lower and upper."""

    def both(document):
        tamper(document)
        document["relative_gap"] = (document["upper"] - document["lower"]) / document["upper"]
        document["tol"] = max(document["tol"], min(document["relative_gap"], 0.99))

    return both


def every(factor):
    return lambda values: [factor * value for value in values]


def learner(document):
    return document["classifier"]["coefficients" if "coefficients" in document["classifier"] else "weights"]


def largest(values):
    return int(np.argmax(np.abs(values)))


def scale_learner(factor):
    def tamper(document):
        values = learner(document)
        values[largest(values)] *= factor

    return tamper


def drop_learner_atom(document):
    values = learner(document)
    values[largest(values)] = 0.0


def move_adversary(share):
    def tamper(document):
        p = document["adversary"]
        i, j = largest(p), int(np.argmin(p))
        p[j], p[i] = p[j] + share * p[i], (1.0 - share) * p[i]

    return tamper


def negative_adversary(document):
    p = document["adversary"]
    i, j = largest(p), int(np.argmin(p))
    p[i], p[j] = p[i] + p[j] + 1e-3, -1e-3


def swap_norm(document):
    document["problem"]["norm"] = {"f1": "f2", "f2": "ntk", "ntk": "f2"}[document["problem"]["norm"]]


def swap_feature(document):
    feature = document["problem"]["feature"]
    document["problem"]["feature"] = "relu" if feature == "squared-relu" else "squared-relu"


TAMPERINGS = {
    "lower raised by 1e-6": gap_follows(set_path("lower", lambda v: v * (1 + 1e-6))),
    "lower raised by 1e-3": gap_follows(set_path("lower", lambda v: v * 1.001)),
    "lower above upper": set_path("lower", lambda v: v * 2),
    "lower negative": set_path("lower", -0.1),
    "lower is a string": set_path("lower", "0.1"),
    "lower NaN": set_path("lower", float("nan")),
    "lower is null": set_path("lower", None),
    "lower is a bool": set_path("lower", True),
    "lower is huge": set_path("lower", 10**400),
    "upper lowered by 1e-6": gap_follows(set_path("upper", lambda v: v * (1 - 1e-6))),
    "upper lowered by 1e-3": gap_follows(set_path("upper", lambda v: v * 0.999)),
    "both raised": gap_follows(lambda d: d.update(lower=1.01 * d["lower"], upper=1.01 * d["upper"])),
    "both lowered": gap_follows(lambda d: d.update(lower=0.99 * d["lower"], upper=0.99 * d["upper"])),
    "upper infinite": set_path("upper", float("inf")),
    "upper is null but certified": set_path("upper", None),
    "upper negative": set_path("upper", -1.0),
    "gap misreported": set_path("relative_gap", lambda v: v / 2),
    "gap zero": set_path("relative_gap", 0.0),
    "gap NaN": set_path("relative_gap", float("nan")),
    "tol below the gap": set_path("tol", 1e-300),
    "tol missing": lambda d: d.pop("tol"),
    "tol one": set_path("tol", 1.0),
    "status unknown": set_path("status", "optimal"),
    "status not-separable": set_path("status", "not-separable"),
    "scope unknown": set_path("scope", "sphere"),
    "scope of another norm": lambda d: d.update(scope="kernel" if d["scope"] != "kernel" else "sphere-exact"),
    "norm swapped": swap_norm,
    "feature swapped": swap_feature,
    "feature unknown": set_path("problem", "feature", "gelu"),
    "feature with other coefficients": set_path(
        "problem", "feature", {"name": "relu", "degree": 1, "right": 2, "left": 0}
    ),
    "no bias": set_path("problem", "bias", False),
    "bias as a number": set_path("problem", "bias", 1),
    "convention unknown": set_path("problem", "convention", "l2"),
    "n too large": set_path("problem", "n", lambda n: n + 1),
    "d too small": set_path("problem", "d", lambda d: d - 1),
    "n as a float": set_path("problem", "n", float),
    "hash of other data": set_path("problem", "data_sha256", lambda h: h[::-1]),
    "hash missing": lambda d: d["problem"].pop("data_sha256"),
    "problem missing": lambda d: d.pop("problem"),
    "classifier missing": lambda d: d.pop("classifier"),
    "classifier empty": set_path("classifier", {}),
    "classifier truncated": lambda d: learner(d).pop(),
    "classifier longer": lambda d: learner(d).append(0.1),
    "weight changed by 1e-3": scale_learner(1.001),
    "weight halved": scale_learner(0.5),
    "weight's sign flipped": scale_learner(-1.0),
    "atom dropped": drop_learner_atom,
    "all signs flipped": lambda d: learner(d).__setitem__(slice(None), [-v for v in learner(d)]),
    "weight NaN": lambda d: learner(d).__setitem__(0, float("nan")),
    "weight infinite": lambda d: learner(d).__setitem__(0, float("inf")),
    "weight a string": lambda d: learner(d).__setitem__(0, "1.0"),
    "weights nested": lambda d: learner(d).__setitem__(0, [0.1]),
    "weights too large for a float": lambda d: learner(d).__setitem__(0, 10**400),
    "adversary moved by 1 %": move_adversary(0.01),
    "adversary moved by half": move_adversary(0.5),
    "adversary uniform": lambda d: d.update(adversary=[1.0 / len(d["adversary"])] * len(d["adversary"])),
    "adversary rotated": lambda d: d["adversary"].insert(0, d["adversary"].pop()),
    "adversary doubled": lambda d: d.update(adversary=every(2.0)(d["adversary"])),
    "adversary zero": lambda d: d.update(adversary=every(0.0)(d["adversary"])),
    "adversary negative": negative_adversary,
    "adversary truncated": lambda d: d["adversary"].pop(),
    "adversary with NaN": lambda d: d["adversary"].__setitem__(0, float("nan")),
    "adversary with a bool": lambda d: d["adversary"].__setitem__(0, False),
    "adversary missing": lambda d: d.pop("adversary"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_refused_in_one_sentence(genuine, name):
    kind, original = genuine
    document = copy.deepcopy(original)
    TAMPERINGS[name](document)
    assert refused(check(document, directions=given(kind)))


HARMLESS = {
    "nothing": lambda d: None,
    "seconds": set_path("seconds", 1e9),
    "versions": set_path("versions", {}),
    "solver": set_path("solver", {"attempts": [{"name": "pencil", "status": "tired", "seconds": 1.0}]}),
    "an extra key": lambda d: d.update(comment="hello"),
    "wider bracket": gap_follows(lambda d: d.update(lower=0.5 * d["lower"], upper=2.0 * d["upper"])),
    "lower zero": gap_follows(set_path("lower", 0.0)),
    "status bracketed": set_path("status", "bracketed"),
    "status interrupted": set_path("status", "interrupted"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_leaves_the_claim_true_passes(genuine, name):
    kind, original = genuine
    document = copy.deepcopy(original)
    HARMLESS[name](document)
    if name in ("wider bracket", "lower zero"):
        document["status"] = "bracketed"
    verdict = check(document, directions=given(kind))
    assert verdict.holds, verdict.reason


HASH_CHANGES = {
    "one digit": lambda X, y: (X + 1e-12 * np.eye(*X.shape), y),
    "labels swapped": lambda X, y: (X, -y),
}
DATA_CHANGES = {
    "one label flipped": lambda X, y: (X, np.where(np.arange(len(y)) == 3, -y, y)),
    "points reordered": lambda X, y: (X[::-1], y[::-1]),
    "point missing": lambda X, y: (X[1:], y[1:]),
    "coordinate missing": lambda X, y: (X[:, 1:], y),
}


@pytest.mark.parametrize("name", HASH_CHANGES | DATA_CHANGES)
def test_other_data_are_refused(genuine, name):
    kind, document = genuine
    assert refused(check(document, *(HASH_CHANGES | DATA_CHANGES)[name](DATA.X, DATA.y), given(kind)))


@pytest.mark.parametrize("name", DATA_CHANGES)
def test_other_data_with_a_forged_hash_are_refused(genuine, name):
    kind, original = genuine
    document = copy.deepcopy(original)
    X, y = DATA_CHANGES[name](DATA.X, DATA.y)
    document["problem"] |= {"data_sha256": mm.load((X, y)).sha256, "n": X.shape[0], "d": X.shape[1]}
    assert refused(check(document, X, y, given(kind)))


DIRECTION_CHANGES = {
    "changed": lambda a: np.roll(a, 1),
    "turned by 1e-3": lambda a: (a + 1e-3 * np.roll(a, 1)) / np.linalg.norm(a + 1e-3 * np.roll(a, 1)),
    "denormalised": lambda a: 2.0 * a,
    "zero": lambda a: 0.0 * a,
    "longer": lambda a: np.append(a, 0.0),
    "NaN": lambda a: a + np.nan,
}


@pytest.mark.parametrize("name", DIRECTION_CHANGES)
@pytest.mark.parametrize("kind", ["f1", "squared-relu", "dictionary"])
def test_changed_directions_are_refused(kind, name):
    document = mm.max_margin(DATA, **KINDS[kind]).to_json()
    k = largest(learner(document))
    directions = document["classifier"]["directions"]
    directions[k] = DIRECTION_CHANGES[name](np.array(directions[k])).tolist()
    assert refused(check(document, directions=given(kind)))


def test_a_dictionary_bracket_is_not_a_sphere_bracket():
    document = mm.max_margin(DATA, **KINDS["dictionary"]).to_json()
    assert refused(check(document | {"scope": "sphere-exact"}))
    assert refused(check({key: value for key, value in document.items() if key != "dictionary"}))
    assert refused(check(document | {"dictionary": document["dictionary"][1:]}))
    assert refused(check(document, directions=given("dictionary")[1:]))
    assert refused(check(document | {"dictionary_sha256": None}, directions=given("dictionary")))


def test_the_law_of_the_directions_matters_for_kernels():
    for law, other in (("sphere", "gaussian"), ("gaussian", "sphere")):
        document = mm.max_margin(DATA, norm="f2", weights=law).to_json()
        document["problem"]["weights"] = other
        assert refused(check(document))


NO_CERTIFICATES = [None, [], "text", {}, {"format": "maxmargin-run"}, {"format": "maxmargin-certificate", "version": 2}]
THREE = np.where(np.arange(DATA.n) == 0, 5.0, DATA.y)  # two labels of any kind are read as -1 and +1, three are none
BAD_DATA = [(DATA.X[0], DATA.y), (DATA.X, THREE), (DATA.X * np.nan, DATA.y), ("text", DATA.y)]


@pytest.mark.parametrize("document", NO_CERTIFICATES)
def test_what_is_no_certificate_is_bad_input(document):
    with pytest.raises(InputError, match="certificate"):
        check(document)


@pytest.mark.parametrize(("X", "y"), BAD_DATA)
def test_bad_data_are_bad_input(X, y):
    document = mm.max_margin(DATA, norm="f2").to_json()
    with pytest.raises(InputError, match="data"):
        check(document, X, y)
