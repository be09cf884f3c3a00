"""Eigenvectors in both precisions, and what they are used for: a matrix is the sum of its eigenpairs."""

import threading
import time

import numpy as np
import pytest

from maxmargin.oracles.lifted import eigen


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 2, 7, 60])
def test_a_symmetric_matrix_is_the_sum_of_its_eigenpairs(dtype, size):
    X = np.random.default_rng(size).normal(size=(size, size)).astype(dtype)
    X = X + X.T
    before = X.copy()
    values, vectors = eigen.eigh(X)
    assert values.dtype == vectors.dtype == dtype
    assert (np.diff(values) >= 0).all()
    error = 50 * size * np.finfo(dtype).eps * np.abs(X).max()  # backward stability: a small multiple of n eps |X|
    assert np.abs((vectors * values) @ vectors.T - X).max() <= error
    assert np.abs(vectors.T @ vectors - np.eye(size)).max() <= 50 * size * np.finfo(dtype).eps
    assert np.array_equal(X, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("positive", [0, 1, 5, 40])
def test_the_eigenvalues_of_one_sign_make_up_that_part_of_the_matrix(positive, sign, dtype):
    rng = np.random.default_rng(positive)
    Q, sizes = np.linalg.qr(rng.normal(size=(40, 40)))[0], rng.uniform(0.1, 1.0, 40)
    levels = np.where(np.arange(40) < positive, sizes, -sizes)
    values, vectors = eigen.eigh_of_sign(((Q * levels) @ Q.T).astype(dtype), sign)
    assert values.dtype == vectors.dtype == dtype
    assert vectors.shape == (40, positive if sign > 0 else 40 - positive)
    part = (Q * np.where(sign * levels > 0, levels, 0.0)) @ Q.T
    assert np.abs((vectors * values) @ vectors.T - part).max() <= 50 * 40 * np.finfo(dtype).eps


def test_the_two_routes_agree(monkeypatch):
    X = np.diag(np.arange(5.0)) + 1.0
    values, most = eigen.eigh(X)[0], eigen.eigh_of_sign(X - 3.0 * np.eye(5), 1)
    monkeypatch.setattr(eigen, "_routine", lambda name: None)
    assert np.abs(eigen.eigh(X)[0] - values).max() <= 1e-13
    found = eigen.eigh_of_sign(X - 3.0 * np.eye(5), 1)
    assert np.abs(found[0] - most[0]).max() <= 1e-13
    assert np.abs(np.abs(found[1]) - np.abs(most[1])).max() <= 1e-13
    assert eigen.eigh(X.astype(np.float32))[0].dtype == np.float32


def test_all_eigenvectors_are_computed_where_those_of_one_sign_fail(monkeypatch):
    def failing(X, name, *arguments, called=eigen._called):
        if name == "syevr":
            raise np.linalg.LinAlgError("inverse iteration")
        return called(X, name, *arguments)

    X = np.diag([-1.0, 2.0, 3.0])
    monkeypatch.setattr(eigen, "_called", failing)
    assert eigen.eigh_of_sign(X, 1)[0].tolist() == [2.0, 3.0]
    assert eigen.eigh_of_sign(X, -1)[0].tolist() == [-1.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    X = np.eye(3)
    X[1, 0] = X[0, 1] = bad
    with pytest.raises(np.linalg.LinAlgError, match="not finite"):
        eigen.eigh(X)
    with pytest.raises(np.linalg.LinAlgError, match="not finite"):
        eigen.eigh_of_sign(X, 1)


def test_other_threads_go_on_meanwhile():
    X = np.random.default_rng(0).normal(size=(900, 900))
    thread, turns = threading.Thread(target=eigen.eigh, args=(X + X.T,)), 0
    thread.start()
    while thread.is_alive():
        time.sleep(1e-3)
        turns += 1
    assert turns > 3  # the call takes tens of milliseconds; with the lock held there would be one turn
