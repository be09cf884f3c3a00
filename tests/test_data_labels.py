"""Files as people have them: which column is the label, what separates cells, raw units, and the line that mends."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.cli import main
from maxmargin.dataset import save

ROWS = [("20", "30000", "no"), ("40", "20000", "yes"), ("33", "90000", "no"), ("51", "41000", "yes")]


def written(folder, header, rows, sep=",", name="d.csv"):
    path = folder / name
    path.write_text("\n".join(sep.join(row) for row in [header, *rows]) + "\n")
    return path


@pytest.fixture
def customers(tmp_path):
    return written(tmp_path, ("age", "income", "Churn"), ROWS, name="customers.csv")


def test_the_label_may_be_any_column_in_any_case(tmp_path):
    path = written(tmp_path, ("Churn", "age", "y"), [("no", "1", "5"), ("yes", "2", "6"), ("no", "3", "7")])
    for asked in ("Churn", "churn"):
        data = mm.load(path, label=asked)
        assert data.label == "Churn" and data.classes == ("no", "yes") and data.feature_names == ("age", "y")
    with pytest.raises(mm.InputError, match="no column 'churm', wanted one of Churn, age, y .did you mean 'Churn'"):
        mm.load(path, label="churm")
    with pytest.raises(mm.InputError, match="a feature is called 'y'"):
        save(mm.load(path, label="Churn"), tmp_path / "again.csv")
    save(mm.load(path, label="Churn"), tmp_path / "again.npz")


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
def test_separators_are_recognised(tmp_path, sep):
    path = written(tmp_path, ("age", "income", "Churn"), ROWS, sep)
    plain = mm.load(written(tmp_path, ("age", "income", "Churn"), ROWS, name="plain.csv"))
    assert mm.load(path).sha256 == mm.load(path, sep=sep).sha256 == plain.sha256
    assert mm.load(written(tmp_path, ("age", "income", "Churn"), ROWS, "\t", "d.tsv"), sep="tab").sha256 == plain.sha256


def test_a_separator_is_one_character(customers):
    for sep in ("", ";;", '"'):
        with pytest.raises(mm.InputError, match="sep: found .* wanted one character"):
            mm.load(customers, sep=sep)


def test_options_that_do_not_apply_are_refused(customers):
    for source in ("xor", (np.eye(2), [0, 1]), mm.load("xor")):
        with pytest.raises(mm.InputError, match="label: found 'a' for .* wanted it only for a .csv"):
            mm.load(source, label="a")
    with pytest.raises(mm.InputError, match="name: found an empty string"):
        mm.load(customers, name=" ")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (("Class", "length", "smoker"), "took the last column, 'smoker'; 'Class' has two values as well"),
        (("length", "churned", "smoker"), "'churned' has two values as well"),
        (("type", "length", "smoker"), "'type' has two values as well"),
        (("length", "married", "smoker"), None),
        (("Class", "length", "y"), None),
        (("label", "length", "y"), "took the column 'y'; 'label' has two values as well"),
    ],
)
def test_another_possible_label_is_named(tmp_path, header, said):
    rows = [("0", "1", "1"), ("0", "0", "0"), ("1", "0", "1"), ("1", "1", "0")]
    data = mm.load(written(tmp_path, header, rows))
    assert data.label == header[-1]
    assert (said is None) == (not data.notes)
    if said is not None:
        assert said in data.notes[0] and "--label " in data.notes[0]


def test_a_label_of_many_values_names_the_columns_of_two(tmp_path):
    path = written(tmp_path, ("x", "y", "label"), [("1", "2", "a"), ("2", "3", "b"), ("3", "4", "a")])
    with pytest.raises(mm.InputError, match="found 3 classes .*two values have 'label'.*--label label"):
        mm.load(path)
    assert mm.load(path, label="label").feature_names == ("x", "y")


@pytest.mark.parametrize(
    ("cells", "mended"),
    [
        (("", "1"), "dropna"),
        (("NA", "1"), "dropna"),
        (("2020-01-31", "2020-02-01"), "pd.to_datetime(frame['a'])"),
        (("31/01/2020", "1/2/2020"), "pd.to_datetime(frame['a'])"),
        (("$1200", "$900"), "str.replace"),
        (("12 %", "9 %"), "str.replace"),
        (("Paris", "Rome"), "--label a; if not, pandas: frame['a'] = (frame['a'] == 'Rome').astype(float)"),
        (("Paris", "Rome", "Oslo", "Paris", "Rome", "Oslo", "Oslo"), "pd.get_dummies(frame, columns=['a']"),
        (tuple(f"id{k}" for k in range(50)), "drop(columns=['a'])"),
        (("inf", "1"), "np.isfinite(frame['a'])"),
    ],
)
def test_a_bad_column_comes_with_one_line_that_mends_it(tmp_path, cells, mended):
    rows = [(cell, str(k), str(k % 2)) for k, cell in enumerate(cells)]
    with pytest.raises(mm.InputError, match="line 2, column 'a': found") as refusal:
        mm.load(written(tmp_path, ("a", "b", "target"), rows))
    assert mended in str(refusal.value) and "\n" not in str(refusal.value)


def test_standardised_columns_have_mean_0_and_deviation_1_and_the_data_say_so(customers):
    raw, data = mm.load(customers), mm.load(customers, standardize=True, name="people")
    np.testing.assert_allclose(data.X, (raw.X - raw.X.mean(0)) / raw.X.std(0), rtol=1e-13)
    assert data.standardized and data.name == "people" and data.words[1:] == ["--name", "people", "--standardize"]
    assert "feature scales differ by" in raw.notes[0] and "--standardize" in raw.notes[0] and not data.notes
    assert mm.load(data, standardize=True) is data
    exact = [math.fsum(column) for column in data.X.T]
    assert np.abs(exact).max() < 4 * len(data.y) * np.finfo(float).eps


def test_constant_columns_and_extreme_units_are_standardised():
    X = np.column_stack([np.full(7, 0.1), np.arange(7) * 1e70, np.arange(7) * 1e-70 + 1e-73])
    data = mm.load((X, [0, 1, 0, 1, 0, 1, 0]), standardize=True)
    assert not data.X[:, 0].any()
    np.testing.assert_allclose(data.X[:, 1:].std(axis=0), 1.0, rtol=1e-14)
    assert mm.load("wine", standardize=True).sha256 == mm.load("wine").sha256


def test_certificates_of_standardised_data_are_checked_with_the_same_flag(customers, tmp_path, capsys):
    path, raw = tmp_path / "c.json", tmp_path / "raw.json"
    assert main(["margin", str(customers), "--standardize", "--json", str(path)]) == 0
    assert main(["margin", str(customers), "--json", str(raw)]) == 0
    problem = json.loads(path.read_text())["problem"]
    assert problem["standardized"] is True and problem["label"] == "Churn"
    assert "feature scales differ" in json.loads(raw.read_text())["problem"]["notes"][0]
    capsys.readouterr()
    assert main(["check", str(path), str(customers), "--standardize"]) == 0
    assert main(["check", str(path), str(customers)]) == 1
    assert "add --standardize" in capsys.readouterr().out
    assert main(["check", str(raw), str(customers), "--standardize"]) == 1
    assert "leave --standardize out" in capsys.readouterr().out
    document = json.loads(raw.read_text())
    document["problem"]["standardized"] = True
    data = mm.load(customers)
    assert not mm.check_certificate(document, data.X, data.y).holds


def test_every_table_and_document_names_the_label(customers, tmp_path, capsys):
    file = tmp_path / "out.json"
    for command in (["margin"], ["train", "--steps", "5", "--width", "4"]):
        assert main([command[0], str(customers), *command[1:], "--json", str(file)]) == 0
        said = capsys.readouterr().out
        assert "label 'Churn'" in said and "note      feature scales differ by" in said
        document = json.loads(file.read_text())
        assert document.get("problem", document.get("data"))["label"] == "Churn"
    run = mm.Run.from_json(document)
    assert run.data["notes"] == list(mm.load(customers).notes)


def test_pairs_of_npy_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X, y = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 4.0]]), np.array(["a", "b", "a"])
    wanted = mm.load((X, y)).sha256
    for points, labels in (("X.npy", "y.npy"), ("X_train.npy", "y_train.npy"), ("points.npy", "labels.npy")):
        np.save(points, X)
        np.save(labels, y)
        assert mm.load((points, labels)).sha256 == mm.load(f"{points},{labels}").sha256 == wanted
    assert mm.load("X.npy").sha256 == mm.load("X_train.npy").sha256 == wanted
    with pytest.raises(mm.InputError, match="found one array, wanted two"):
        mm.load("points.npy")
    np.save("X_test.npy", X)
    with pytest.raises(mm.InputError, match="found no file 'y_test.npy'"):
        mm.load("X_test.npy")
    (tmp_path / "X.npy").write_bytes(b"\x93NUMPY garbage")
    with pytest.raises(mm.InputError, match="wanted a .npy file of a plain array"):
        mm.load("X.npy")


def test_sparse_data_are_made_dense_if_small(tmp_path):
    from scipy import sparse

    X = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 4.0]])
    assert mm.load((sparse.csr_matrix(X), [0, 1, 0])).sha256 == mm.load((X, [0, 1, 0])).sha256
    with pytest.raises(mm.InputError, match=r"sparse matrix of 3 x 10,000,000, 0.2 GB.*TruncatedSVD"):
        mm.load((sparse.csr_matrix((3, 10**7)), [0, 1, 0]))
    sparse.save_npz(tmp_path / "s.npz", sparse.csr_matrix(X))
    with pytest.raises(mm.InputError, match="sparse matrix .* without labels"):
        mm.load(tmp_path / "s.npz")


def test_libsvm_text(tmp_path):
    path = tmp_path / "d.svm"
    path.write_text("+1 1:0.5 3:2\n-1 2:1.5\n")
    data = mm.load(path)
    assert data.X.tolist() == [[0.5, 0.0, 2.0], [0.0, 1.5, 0.0]] and data.y.tolist() == [1.0, -1.0]
    path.write_text("+1 1:0.5 99999999:2\n-1 2:1.5\n")
    with pytest.raises(mm.InputError, match="sparse matrix of 2 x 99,999,999"):
        mm.load(path)
    path.write_text("one two\n")
    with pytest.raises(mm.InputError, match="wanted lines 'label index:value ...'"):
        mm.load(path)


def test_a_frame_with_its_label_column():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "churn": ["no", "yes", "no"]})
    data = mm.load(frame, label="churn")
    assert data.label == "churn" and data.feature_names == ("a",) and data.y.tolist() == [-1, 1, -1]
    assert mm.load((frame[["a"]], frame["churn"])).label == "churn"
    with pytest.raises(mm.InputError, match="no column 'b'"):
        mm.load(frame, label="b")
    with pytest.raises(mm.InputError, match=r"column 0 \(from 0\), 'a', wanted finite numbers; drop .*SimpleImputer"):
        mm.load((pd.DataFrame({"a": [1.0, math.nan]}), [0, 1]))


def test_a_column_that_only_names_the_rows_is_remarked(tmp_path):
    rows = [(str(k), str(k % 3), str(k % 2)) for k in range(6)]
    for name, said in (("id", True), ("customer_id", True), ("Index", True), ("humid", False), ("length", False)):
        data = mm.load(written(tmp_path, (name, "b", "y"), rows))
        assert any("has a different value in every row" in note for note in data.notes) == said


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0.1,1,0 0.9,0,1 0.2,0,1 0.8,1,0", True),  # the other half of a one-hot code
        ("0.1,0,0 0.9,1,1 0.2,1,1 0.8,0,0", True),  # a copy
        ("0.1,1,0 0.9,0,1 0.2,0,1 0.8,0,0", False),
        ("0.1,1,0 0.9,0,1 0.2,0,1", False),  # three rows agree by chance
    ],
)
def test_a_feature_that_is_the_label_once_more_is_named(tmp_path, rows, said):
    path = tmp_path / "a.csv"
    path.write_text("a,y_0,y_1\n" + rows.replace(" ", "\n"), encoding="utf-8")
    notes = mm.load(str(path)).notes
    assert any(note.startswith("feature: 'y_0' tells the label 'y_1' in every row") for note in notes) == said
