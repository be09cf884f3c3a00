"""Dataset and make_dataset: what is accepted, what is refused and in which words, what the hash means."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from maxmargin.dataset import Dataset, load, make_dataset, save
from maxmargin.errors import InputError

X2 = [[0.0, 1.0], [2.0, 3.0]]
LABEL_PAIRS = st.one_of(
    st.sampled_from([(-1, 1), (0, 1), (1, 2), (-0.5, 7.25), ("no", "yes"), ("10", "9"), ("a b", 'c"d'), ("α", "β,γ")]),
)
FLOATS = st.one_of(st.just(0.0), st.floats(1e-70, 1e70), st.floats(-1e70, -1e-70))


@pytest.mark.parametrize(
    ("X", "y", "wanted"),
    [
        ([1.0, 2.0], [0, 1], r"X: found an array of shape \(2,\).*reshape"),
        (np.zeros((2, 1, 1)), [0, 1], r"X: found an array of shape \(2, 1, 1\)"),
        (np.zeros((0, 2)), [], r"X: found shape \(0, 2\), wanted at least one row"),
        (np.zeros((2, 0)), [0, 1], "wanted at least one row and one column"),
        ([[1.0], [2.0, 3.0]], [0, 1], "X: found values that form no array"),
        (np.array(X2) + 1j, [0, 1], "X: found entries of type complex128"),
        (np.array([[0.0, "1"]], dtype=object), [0], r"X: found .1. in row 0, column 1 \(from 0\), wanted real numbers"),
        ([["a"], ["b"]], [0, 1], "X: found entries of type <U1"),
        (np.array([["2020-01-01"]], dtype="M8[D]"), [0], "X: found entries of type datetime64"),
        ([[0.0, np.nan], [1.0, 2.0]], [0, 1], "X: found nan in row 0, column 1"),
        ([[0.0, 1.0], [-np.inf, 2.0]], [0, 1], "X: found -inf in row 1, column 0"),
        (np.ma.masked_equal(X2, 3.0), [0, 1], "X: found masked entries"),
        ([[1e200], [1.0]], [0, 1], "X: found largest magnitude 1e.200 in row 0"),
        ([[1.0], [1e-200]], [0, 1], "X: found largest magnitude 1e-200 in row 1"),
        (X2, [0, 1, 1], "y: found 3 labels for 2 rows of X"),
        (X2, [[0], [1]], r"y: found an array of shape \(2, 1\), wanted a vector"),
        (X2, [1, 1], r"y: found 1 class \(1\), wanted two labels"),
        ([[0.0], [1.0], [2.0]], [0, 1, 2], r"y: found 3 classes \(0, 1, 2\)"),
        ([[float(i)] for i in range(9)], range(9), r"y: found 9 classes \(0, 1, 2, 3, 4, ...\)"),
        (X2, [0.0, np.nan], "y: found nan among the labels"),
        (X2, ["inf", "1"], "y: found inf among the labels"),
        (X2, [1j, 1], "y: found labels of type complex128"),
        (X2, np.array([1, None]), "y: found None at position 1 .from 0. beside 1, wanted no missing label"),
        (X2, np.array([None, None]), "y: found labels of type object"),
        (X2, ["a", " "], "y: found an empty label at position 1"),
    ],
)
def test_refused_with_one_sentence(X, y, wanted):
    with pytest.raises(InputError, match=wanted) as caught:
        make_dataset(X, y)
    assert "\n" not in str(caught.value) and ("wanted" in str(caught.value))


@pytest.mark.parametrize(
    ("y", "signs", "classes"),
    [
        ([0, 1], [-1, 1], (0, 1)),
        ([3, -2], [1, -1], (-2, 3)),
        ([True, False], [1, -1], (0, 1)),
        (["cat", "dog"], [-1, 1], ("cat", "dog")),
        (["10", "9"], [1, -1], (9, 10)),
        (np.array(["b", "a"], dtype=object), [1, -1], ("a", "b")),
        (np.float32([0.5, 0.25]), [1, -1], (0.25, 0.5)),
    ],
)
def test_the_larger_label_becomes_plus_one(y, signs, classes):
    data = make_dataset(X2, y)
    assert data.y.tolist() == signs and data.classes == classes
    assert [str(label) for label in data.labels] == [str(classes[int(sign > 0)]) for sign in signs]


def test_given_classes_choose_the_order_and_allow_an_absent_one():
    assert make_dataset(X2, ["b", "a"], classes=("b", "a")).y.tolist() == [-1, 1]
    assert make_dataset(X2, [1, 1], classes=(-1, 1)).y.tolist() == [1, 1]
    with pytest.raises(InputError, match="classes: found"):
        make_dataset(X2, [0, 1], classes=(-1, 1))
    with pytest.raises(InputError, match="classes: found"):
        make_dataset(X2, [0, 0], classes=(0, 0))


@pytest.mark.parametrize("names", [["a"], ["a", "a"], ["a", ""], ["a", " b"], ["a", "y"], ["a", 3]])
def test_feature_names_must_be_distinct_words(names):
    with pytest.raises(InputError, match="feature_names"):
        make_dataset(X2, [0, 1], feature_names=names)


def test_a_dataset_is_frozen_and_owns_its_arrays():
    X = np.asfortranarray(X2)
    data = make_dataset(X, [0, 1])
    X[0, 0] = 9.0
    assert data.X[0, 0] == 0.0 and data.X.flags.c_contiguous and data.X.dtype == float
    for array in (data.X, data.y):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
    with pytest.raises(AttributeError):
        data.name = "other"
    with pytest.raises(InputError, match="each -1 or"):
        Dataset(np.array(X2), np.array([0.0, 1.0]))
    assert (data.n, data.d) == (2, 2) and len(repr(data)) < 80


def test_inputs_put_the_bias_last():
    data = make_dataset(X2, [0, 1])
    assert data.inputs().tolist() == [[0.0, 1.0, 1.0], [2.0, 3.0, 1.0]]
    assert data.inputs(bias=False).tolist() == X2


def test_sha256_is_what_its_docstring_says():
    data = make_dataset([[1.0, -0.0], [0.25, 1e-3]], ["a", "b"])
    content = struct.pack("<2q4d2b", 2, 2, 1.0, 0.0, 0.25, 1e-3, -1, 1)
    assert data.sha256 == hashlib.sha256(content).hexdigest()


def test_sha256_sees_values_shape_and_labels_only():
    reference = make_dataset([[1.0, 2.0], [3.0, 4.0]], [0, 1]).sha256
    assert make_dataset(np.float32([[1, 2], [3, 4]]), ["n", "p"], "other", feature_names=["u", "v"]).sha256 == reference
    different = [
        make_dataset([[1.0, 2.0], [3.0, 4.0]], [1, 0]),
        make_dataset([[1.0, 2.0], [3.0, 4.0 + 2**-50]], [0, 1]),
        make_dataset([[1.0], [2.0], [3.0], [4.0]], [0, 1, 0, 1]),
    ]
    assert len({reference, *(data.sha256 for data in different)}) == 4


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_files_round_trip_exactly(tmp_path_factory, data):
    n, d = data.draw(st.integers(2, 6)), data.draw(st.integers(1, 4))
    X = data.draw(arrays(float, (n, d), elements=FLOATS))
    pair = data.draw(LABEL_PAIRS)
    y = [pair[0], pair[1], *data.draw(st.lists(st.sampled_from(pair), min_size=n - 2, max_size=n - 2))]
    names = data.draw(st.none() | st.just([f"feature {j}, cm" for j in range(d)]))
    original = make_dataset(X, y, feature_names=names)
    folder = tmp_path_factory.mktemp("round")
    for suffix in (".csv", ".npz"):
        save(original, folder / f"data{suffix}")
        again = load(folder / f"data{suffix}")
        assert again.X.tobytes() == original.X.tobytes() and again.y.tobytes() == original.y.tobytes()
        assert again.sha256 == original.sha256 and again.classes == original.classes
        assert names is None or again.feature_names == tuple(names)


def test_classes_against_sorted_order_survive_a_file_as_signs(tmp_path):
    data = make_dataset(X2, ["z", "a"], classes=("z", "a"))
    save(data, tmp_path / "d.csv")
    assert load(tmp_path / "d.csv").sha256 == data.sha256
