"""CSV and NPZ: the label column, the refusals with file, line and column, and files that appear whole or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maxmargin.dataset import load, make_dataset, save
from maxmargin.errors import InputError

DATA = Path(__file__).parent.parent / "data"


def _write(folder, content, name="d.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("a,y\n", "found zero rows below the first line"),
        ("a,b,y\n1,2,0\n1,x,1\n", "line 3, column 'b': found 'x', wanted a finite number"),
        ("a,b,y\n1,2,0\n\n1,,1\n", "line 4, column 'b': found an empty cell"),
        ("a,b,y\n1,2,0\n1,NaN,1\n", "line 3, column 'b': found 'NaN'"),
        ("a,b,y\n1,-inf,0\n1,2,1\n", "line 2, column 'b': found '-inf'"),
        ("a,b,y\n1,1e999,0\n1,2,1\n", "line 2, column 'b': found '1e999'"),
        ("a,b,y\n1,1_0,0\n1,2,1\n", "line 2, column 'b': found '1_0'"),
        ("a,b,y\n1,2,0\n1,2\n", "line 3 has 2 cells, wanted 3"),
        ("a,b,y\n1,2,0,5\n1,2,1\n", "line 2 has 4 cells, wanted 3"),
        ("a,y\n1,0\n2,0\n", r"label column 'y'\): y: found 1 class \(0\)"),
        ("a,y\n1,0\n2,1\n3,2\n", r"found 3 classes \(0, 1, 2\), wanted two labels"),
        ("a,y\n1,0\n2,\n", "line 3, label column 'y' is empty"),
        ("a,y\n1,0\n2,nan\n", "y: found nan among the labels"),
        ("a,y\n1e200,0\n2,1\n", "largest magnitude 1e.200"),
        ("1,2,0\n3,4,1\n", r"the first row, \['1', '2', '0'\], looks like data"),
        ('5.1,3.5,"set\nosa"\n4,3,rest\n', "looks like data"),
        ("a,a,y\n1,2,0\n3,4,1\n", "names 'a' more than once"),
        (",a,y\n0,2,0\n1,4,1\n", "column 1 of the header has no name"),
        ("y\n0\n1\n", "found the single column 'y'"),
        ("a;b;y\n1,5;2,5;0\n3,5;4,5;1\n", "column 'a': found '1,5', wanted a finite number; a decimal comma?"),
        ("a;b;y\n1;2;0\n3;4\n", "line 3 has 2 cells, wanted 3"),
        ("# by me\na,b,y\n1,2,0\n3,4,1\n", "line 2 has 3 cells, wanted 1 as in the header on line 1"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe\x00", "not UTF-8"),
        (b"a,y\n1,0\n\x00,1\n", "NUL bytes"),
        ('a,y\n1,0\n"2,1\n', "is not CSV"),
    ],
)
def test_a_bad_csv_is_refused_with_its_place(tmp_path, content, wanted):
    path = _write(tmp_path, content)
    with pytest.raises(InputError, match=wanted) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and "\n" not in message


@pytest.mark.parametrize(
    ("header", "label"),
    [("target,label,y", "y"), ("target,label,b", "label"), ("a,target,b", "target"), ("a,b,c", "c"), ("y,a,b", "y")]
    + [("TARGET,Label,b", "Label"), ("a,Target,b", "Target"), ("a,Y,label", "Y"), ("Y,y,a", "y")],
)
def test_the_label_column_is_y_or_label_or_target_or_the_last(tmp_path, header, label):
    data = load(_write(tmp_path, f"{header}\n0,0,1\n1,0,0\n0,1,0\n"))
    names = header.split(",")
    assert data.feature_names == tuple(name for name in names if name != label)
    column = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])[:, names.index(label)]
    assert data.y.tolist() == np.where(column, 1.0, -1.0).tolist()


@pytest.mark.parametrize(
    "content",
    [
        "a,y\r\n1,no\r\n2,yes\r\n",
        "\ufeffa,y\n1,no\n2,yes",
        " a , y\n\n 1 , no\n2,yes\n\n",
        '"a","y"\n"1","no"\n2,yes\n',
    ],
)
def test_line_ends_marks_blanks_and_quotes_do_not_matter(tmp_path, content):
    data = load(_write(tmp_path, content, "D.CSV"))
    assert data.sha256 == make_dataset([[1.0], [2.0]], [0, 1]).sha256 and data.classes == ("no", "yes")
    assert data.name == "D" and data.feature_names == ("a",)


CELLS = st.sampled_from(
    ["", " ", "0", "1", "-1.5", "1e5", "nan", "inf", "1e400", "x", "y", "label", '"', "a b", "1_0", "\t", "٣"]
)
TABLES = st.lists(st.lists(CELLS, max_size=4), max_size=5).map(lambda rows: "\n".join(map(",".join, rows)).encode())


@example(content=b'"\n')  # an opened quotation: no rows at all
@settings(max_examples=300, deadline=None)
@given(
    content=st.one_of(
        TABLES, st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_whatever_the_bytes_a_dataset_or_an_input_error_in_one_line(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    for name in ("fuzz.csv", "fuzz.npz"):
        try:
            data = load(_write(folder, content, name))
        except InputError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert np.isfinite(data.X).all() and set(data.y) == {-1.0, 1.0}


def test_numeric_column_names_are_names_when_the_label_is_named(tmp_path):
    assert load(_write(tmp_path, "0,1,y\n5,6,0\n7,8,1\n")).feature_names == ("0", "1")


@pytest.mark.parametrize(
    ("arrays", "wanted"),
    [
        ({"X": np.eye(2)}, r"missing \['y'\]"),
        ({"features": np.eye(2)}, r"found arrays \['features'\], missing \['X', 'y'\]"),
        (
            {"X": np.array([[1, None]], dtype=object), "y": [0]},
            "found Object arrays.*wanted an .npz archive of plain arrays",
        ),
        ({"X": np.eye(2), "y": [0, 1, 1]}, "y: found 3 labels for 2 rows"),
        ({"X": np.ones(2), "y": [0, 1]}, r"X: found an array of shape \(2,\)"),
    ],
)
def test_a_bad_npz_is_refused(tmp_path, arrays, wanted):
    path = tmp_path / "d.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=wanted) as caught:
        load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04garbage"])
def test_garbage_named_npz_is_refused(tmp_path, content):
    with pytest.raises(InputError, match="wanted an .npz archive of plain arrays"):
        load(_write(tmp_path, content, "d.npz"))


def test_a_single_npy_array_named_npz_is_refused(tmp_path):
    np.save(tmp_path / "d.npy", np.eye(2))
    (tmp_path / "d.npy").rename(tmp_path / "d.npz")
    with pytest.raises(InputError, match="found no zip archive"):
        load(tmp_path / "d.npz")


def test_places_that_are_no_data_files(tmp_path):
    _write(tmp_path, "a,y\n1,0\n2,1\n", "d.txt")
    for source, wanted in [
        (tmp_path, "found the directory"),
        (tmp_path / "d.txt", "found the extension '.txt'"),
        (str(tmp_path / "d.txt"), "found the extension '.txt'"),
        (tmp_path / "none.csv", "found no file"),
        ("none.csv", "found no file"),
        ("iriss", "neither a file nor built in.*did you mean 'iris'"),
        ("iriss:s=1.0", "neither a file nor built in"),
        ("x" * 5000, "neither a file nor built in"),
        ("x" * 5000 + ".csv", "found no file"),
        ("", "found an empty string"),
        (3, "found int, wanted a Dataset"),
        (None, "found NoneType"),
        (([1.0], [2.0], [3.0]), "found tuple"),
    ]:
        with pytest.raises(InputError, match=wanted):
            load(source)


def test_load_accepts_datasets_pairs_paths_and_names(tmp_path):
    data = load(([[0.0], [1.0]], ["a", "b"]))
    assert load(data) is data
    save(data, tmp_path / "d.npz")
    assert load(str(tmp_path / "d.npz")).sha256 == load(tmp_path / "d.npz").sha256 == data.sha256
    assert load("xor").n == 4


def test_save_writes_all_or_nothing(tmp_path):
    data = load("xor")
    with pytest.raises(InputError, match="extension"):
        save(data, tmp_path / "d.txt")
    with pytest.raises(InputError, match="does not exist"):
        save(data, tmp_path / "none" / "d.csv")
    save(data, tmp_path / "d.csv")
    save(load("parity:d=3"), tmp_path / "d.csv")
    assert load(tmp_path / "d.csv").n == 8
    assert [path.name for path in tmp_path.iterdir()] == ["d.csv"]


def test_the_shipped_files_are_what_their_readme_says(tmp_path):
    rows = re.findall(r"\| `(\w+\.csv)` \| `([^`]+)` \| (\d+) x (\d+) ", (DATA / "README.md").read_text())
    assert {name for name, *_ in rows} == {path.name for path in DATA.glob("*.csv")}
    for name, source, n, d in rows:
        save(load(source), tmp_path / name)
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()
        assert load(DATA / name).X.shape == (int(n), int(d))
        assert f'save(load("{source}"), "data/{name}")' in (DATA / "README.md").read_text()
