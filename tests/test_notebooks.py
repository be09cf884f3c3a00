"""The notebooks: their cells run, they are stored with their outputs, and they are small."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib
import pytest

BOOKS = sorted((Path(__file__).resolve().parent.parent / "docs" / "notebooks").glob("*.ipynb"))
LONG = {"certificate_closing", "lazy_to_rich", "your_own_network"}  # several runs of 2000 steps


def cells(path: Path) -> list[dict]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_there_are_some():
    assert {"two_points_to_xor", "certificate_closing", "lazy_to_rich"} <= {path.stem for path in BOOKS}


@pytest.mark.parametrize(
    "path", [pytest.param(b, marks=[pytest.mark.slow] * (b.stem in LONG), id=b.stem) for b in BOOKS]
)
def test_cells_run(path, tmp_path, monkeypatch, capsys):
    """In order, each without an exception, a warning (an error here) or a word on stderr; all names are defined."""
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    space: dict = {}
    for number, cell in enumerate(cells(path)):
        code = "".join(cell["source"]).replace("plt.show()", "")
        exec(compile(code, f"{path.name}[{number}]", "exec"), space)
        assert not capsys.readouterr().err, number
    assert len(space) > 1


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_outputs_are_stored_and_small(path):
    assert path.stat().st_size < 1_000_000
    for cell in cells(path):
        assert not any(output["output_type"] == "error" for output in cell["outputs"])
    assert sum(bool(cell["outputs"]) for cell in cells(path)) >= 3
    assert (path.parent / f"{path.stem}.rst").exists()


def test_films_are_in_line():
    for name in ("two_points_to_xor", "lazy_to_rich"):
        (path,) = (book for book in BOOKS if book.stem == name)
        shown = ["".join(o.get("data", {}).get("text/html", [])) for c in cells(path) for o in c["outputs"]]
        assert any(html.startswith("<iframe") for html in shown), name
