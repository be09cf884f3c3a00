"""Files that promise more than they hold: refused from their headers, in one sentence, before anything is inflated."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.features.directions import load_directions

LABELS = np.array([1.0, -1.0])


def header(shape, descr="<f8", fortran=False, padding=0):
    """The bytes of an .npy header that promises this shape."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_2_0(
        stream, {"descr": descr, "fortran_order": fortran, "shape": shape}
    ) if not padding else stream.write(_padded(shape, descr, padding))
    return stream.getvalue()


def _padded(shape, descr, padding):
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".ljust(padding) + "\n"
    return b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text.encode()


def archive(path, **members):
    """An .npz of raw members; a pair (header, n) is followed by n zero bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in members.items():
            with bundle.open(name + ".npy", "w", force_zip64=True) as stream:
                head, zeros = content if isinstance(content, tuple) else (content, 0)
                stream.write(head)
                for _ in range(zeros >> 20):
                    stream.write(bytes(1 << 20))
                stream.write(bytes(zeros & ((1 << 20) - 1)))
    return path


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def refusal(path):
    began = time.process_time()
    with pytest.raises(mm.InputError) as error:
        mm.load(str(path))
    assert time.process_time() - began < 2.0
    message = str(error.value)
    assert "\n" not in message and len(message) < 400 and "wanted" in message
    return message


MEGA = 64 << 20
BOMBS = {
    "a row too many": {"X": (header((MEGA // 16, 2)), MEGA), "y": saved(LABELS)},
    "fortran order": {"X": (header((MEGA // 16, 2), fortran=True), MEGA), "y": saved(LABELS)},
    "one dimension": {"X": (header((MEGA // 8,)), MEGA), "y": saved(LABELS)},
    "three dimensions": {"X": (header((2, MEGA // 16, 1)), MEGA), "y": saved(LABELS)},
    "wide labels": {"X": saved(np.eye(2)), "y": (header((2, MEGA // 16)), MEGA)},
    "many labels": {"X": saved(np.eye(2)), "y": (header((MEGA // 8,)), MEGA)},
    "names": {"X": saved(np.eye(2)), "y": saved(LABELS), "feature_names": (header((MEGA // 4,), "<U1"), MEGA)},
    "nothing behind the header": {"X": header((10**9, 2)), "y": saved(LABELS)},
    "shape without end": {"X": header((2**62, 2**62)), "y": saved(LABELS)},
    "objects": {"X": header((2, 2), "|O"), "y": saved(LABELS)},
    "text": {"X": saved(np.array([["a", "b"], ["c", "d"]])), "y": saved(LABELS)},
    "dates": {"X": saved(np.zeros((2, 2), "M8[s]")), "y": saved(LABELS)},
    "header of a megabyte": {"X": (header((2, 2), padding=1 << 20), 32), "y": saved(LABELS)},
    "no array at all": {"X": b"PK\x03\x04", "y": saved(LABELS)},
    "an archive in an archive": {"X": saved(np.eye(2)) + b"PK\x03\x04", "y": saved(LABELS)},
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_from_their_headers(name, tmp_path):
    assert "bomb.npz" in refusal(archive(tmp_path / "bomb.npz", **BOMBS[name]))


def test_what_nobody_asked_for_is_not_inflated(tmp_path):
    path = archive(tmp_path / "a.npz", X=saved(np.eye(2)), y=saved(LABELS), more=(header((MEGA // 8,)), MEGA))
    with zipfile.ZipFile(path, "a") as bundle:
        bundle.writestr("notes.txt", "not an array")
    assert mm.load(str(path)).n == 2


def test_the_peak_memory_of_a_bomb_is_that_of_an_import(tmp_path):
    """0.5 MB on disk, 480 MB inflated, for two labels."""
    archive(tmp_path / "bomb.npz", X=(header((3 * 10**7, 2)), 48 * 10**7), y=saved(LABELS))
    code = (
        "import sys, maxmargin as mm\n"
        "from maxmargin import memory\n"
        "try: mm.load(sys.argv[1])\n"
        "except mm.InputError: print(memory.peak())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "bomb.npz")]
    assert int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) < 300e6  # bytes


def test_more_than_the_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("maxmargin.memory.available", lambda: 10e6)
    path = archive(tmp_path / "large.npz", X=(header((10**6, 2)), 16 * 10**6), y=(header((10**6,)), 8 * 10**6))
    with pytest.raises(mm.InputError, match="memory: .*large.npz with X, y needs 0.1 GiB"):
        mm.load(str(path))


def test_directions_and_plain_arrays_are_looked_at_first(tmp_path):
    with pytest.raises(mm.InputError, match="wanted"):
        load_directions(archive(tmp_path / "theta.npz", directions=(header((MEGA // 8, 1)), MEGA)), 3)
    np.lib.format.open_memmap(tmp_path / "X.npy", "w+", float, (MEGA // 16, 2)).flush()
    np.save(tmp_path / "y.npy", LABELS)
    assert "shape" in refusal(tmp_path / "X.npy")


def test_ordinary_archives_read_as_before(tmp_path):
    X, y = np.asfortranarray(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)), np.arange(5) > 2
    np.savez_compressed(tmp_path / "a.npz", X=X, y=y, feature_names=np.array(["a", "b", "c"]))
    data = mm.load(str(tmp_path / "a.npz"))
    assert (data.X == X).all() and (data.y == np.where(y, 1, -1)).all() and data.feature_names == ("a", "b", "c")


def test_a_table_of_very_many_columns(tmp_path):
    """Columns are told apart in linear time; a repeated name among 200,000 is found at once."""
    d = 200_000
    names = [f"x{j}" for j in range(d)]
    rows = [",".join(["1"] * d + [label]) for label in ("a", "b")]
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([",".join([*names, "y"]), *rows]))
    began = time.process_time()
    assert mm.load(str(path)).d == d
    path.write_text("\n".join([",".join([*names[:-1], "x0", "y"]), *rows]))
    assert "names 'x0' more than once" in refusal(path)
    assert time.process_time() - began < 10.0


@pytest.mark.parametrize("line", ["9" * 200_000, '"' + "a" * 200_000 + '"', "," * 200_000, "1e" + "9" * 200_000])
def test_very_long_lines_end_in_one_short_sentence(line, tmp_path):
    (tmp_path / "long.csv").write_text(f"a,y\n{line},0\n{line},1\n")
    assert "long.csv" in refusal(tmp_path / "long.csv")


def test_a_table_beyond_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("maxmargin.memory.available", lambda: 1e4)
    (tmp_path / "large.csv").write_text("a,b,y\n" + "1,2,0\n3,4,1\n" * 100)
    with pytest.raises(mm.InputError, match="memory: .*large.csv with .* cells needs"):
        mm.load(str(tmp_path / "large.csv"))
