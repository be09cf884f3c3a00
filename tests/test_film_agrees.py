"""The film agrees with the proof: the highest payoff is the oracle's, one adversary in all pictures."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from plots_examples import EXAMPLES, unpack

import maxmargin as mm
from maxmargin.film import Film, frames, save
from maxmargin.film.encode import document
from maxmargin.plots.views import payoff_of


@pytest.mark.parametrize("source", ["line:n=2", "line:n=6,seed=0", "clusters:n=24,d=3,k=2,seed=1"])
def test_the_highest_payoff_is_no_sample(source):
    film = mm.film(source, width=30, steps=120, seed=1)
    drawn = frames.build(film.dataset, film.run, film.certificate)
    assert drawn.highest.min() >= film.certificate.lower / film.certificate.upper  # two points: never 0.999 of it
    payoff = payoff_of(film.dataset, film.certificate)
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((2000, payoff.Z.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    features = payoff.factor * payoff.feature.evaluate(directions, payoff.Z)
    sampled = np.abs(features @ (drawn.adversaries * film.dataset.y).T).max(axis=0) / payoff.level
    assert (sampled <= drawn.highest * (1 + 1e-12)).all()
    assert np.abs(drawn.live).reshape(len(drawn.live), -1).max(axis=1) == pytest.approx(drawn.highest, rel=0.02)


def test_rings_and_potential_belong_to_one_adversary():
    comparison = EXAMPLES["sphere"]()
    data = document(comparison.dataset, comparison.runs[0].run, comparison.margins["f1"])
    drawn = frames.build(comparison.dataset, comparison.runs[0].run, comparison.margins["f1"])
    shown = unpack(data["support"])
    np.testing.assert_allclose(shown, drawn.adversaries / drawn.adversaries.max(axis=1, keepdims=True), atol=1e-4)
    assert shown.shape == (len(data["steps"]), comparison.dataset.n) and len(data["highest"]) == len(data["steps"])
    assert data["best"][1] == comparison.runs[0].run.margin_best


def test_a_gif_takes_fifteen_seconds(tmp_path):
    from PIL import Image

    comparison = EXAMPLES["circle"]()
    path = save(comparison.dataset, comparison.runs[0].run, comparison.margins["f1"], tmp_path / "film.gif")
    milliseconds = 0
    with Image.open(path) as film:
        for k in range(film.n_frames):
            film.seek(k)
            milliseconds += film.info["duration"]
    assert milliseconds == pytest.approx(15_000, rel=0.05)


def test_a_film_shows_in_a_notebook_and_is_saved(tmp_path):
    film = mm.film("xor", bias=False, width=20, steps=60)
    assert isinstance(film, Film) and film.save(tmp_path / "film.html").exists()
    cell = film._repr_html_()
    page = re.fullmatch(r'<iframe [^>]*srcdoc="([^"]*)"></iframe>', cell, flags=re.S)
    assert page is not None and "<script" not in cell and json.loads(json.dumps(cell)) == cell


def test_the_module_is_the_function_whatever_was_imported_first():
    import maxmargin.film as module

    assert callable(mm.film) and callable(module)
    assert module("xor", bias=False, width=10, steps=20).run.width == 10
