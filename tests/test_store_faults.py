"""Stores that are damaged, old, shared or killed: one sentence, and the finished rows are kept."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from maxmargin.cli import main
from maxmargin.errors import InputError
from maxmargin.sweeps import Store, run, store
from maxmargin.sweeps.store import Task

PAGE = 4096


def tasks(count):
    return [Task("two-points", {"theta": float(k)}) for k in range(count)]


def filled(path, count=200):
    with Store(path) as kept:
        for k, task in enumerate(tasks(count)):
            kept.add(task, {"value": k, "text": "x" * 200}, 0.1)
    return path


@pytest.mark.parametrize("page", [1, 2, 3, 5, 8, "all"])
def test_damaged_pages_are_one_sentence(page, tmp_path):
    path = filled(tmp_path / "runs.sqlite")
    content = bytearray(path.read_bytes())
    begin, end = (PAGE, len(content)) if page == "all" else (page * PAGE, (page + 1) * PAGE)
    content[begin:end] = bytes([0x5A]) * (end - begin)
    path.write_bytes(content)
    with pytest.raises(InputError, match="move it away|cannot be used") as error, Store(path) as kept:
        kept.keys(), kept.results(tasks(200)), kept.seconds(tasks(200)), kept.content()
    assert "\n" not in str(error.value)


def test_a_truncated_store_and_a_damaged_result(tmp_path):
    path = filled(tmp_path / "runs.sqlite")
    path.write_bytes(path.read_bytes()[: 2 * PAGE + 100])
    with pytest.raises(InputError, match="move it away|cannot be used"), Store(path) as kept:
        kept.results(tasks(200))
    path = filled(tmp_path / "other.sqlite", 2)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET result = '{\"value\": '")
    connection.close()
    with pytest.raises(InputError, match="is damaged"), Store(path) as kept:
        kept.results(tasks(2))


def test_the_command_says_it_in_one_line(tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    path = filled(out / "runs.sqlite")
    content = path.read_bytes()
    path.write_bytes(content[:PAGE] + bytes(len(content) - PAGE))
    assert main(["reproduce", "fig1", "--scale", "smoke", "--out", str(out), "--quiet"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "Traceback" not in err and "runs.sqlite" in err


def test_a_full_disk_keeps_what_was_there(tmp_path):
    path = filled(tmp_path / "runs.sqlite", 3)
    with Store(path) as kept:
        pages = kept._rows("PRAGMA page_count")[0][0]
        kept._rows(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(InputError, match="make room"):
            for task in tasks(400):
                kept.add(task, {"text": "x" * 4000}, 0.1)
    with Store(path) as kept:
        assert len(kept) >= 3


def test_a_store_of_another_layout_is_refused_and_left_alone(tmp_path):
    path = filled(tmp_path / "runs.sqlite", 3)
    for version in (0, 2):
        with sqlite3.connect(path) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        with pytest.raises(InputError, match=f"its layout is version {version}, this program's is 1"):
            Store(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (3,)
    connection.close()


def test_a_clock_that_goes_backwards_changes_nothing(tmp_path, monkeypatch):
    """Rows are known by their keys; the time of their making is only a remark."""

    class Earlier(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(1999, 1, 1, tzinfo=UTC)

    path = filled(tmp_path / "runs.sqlite", 2)
    monkeypatch.setattr(store, "datetime", Earlier)
    filled(path, 4)
    with Store(path) as kept:
        assert kept.keys() == {task.key for task in tasks(4)}
        created = [row[0] for row in kept._rows("SELECT created FROM runs ORDER BY created")]
    assert len(created) == 4 and created[0].startswith("1999")


def test_progress_does_not_read_the_clock_on_the_wall(tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 0.0)
    with Store(tmp_path / "runs.sqlite") as kept:
        assert run([], kept) == 0


TWO = """
import sys
from maxmargin.sweeps import Store
from maxmargin.sweeps.store import Task
with Store(sys.argv[1]) as kept:
    print("open", flush=True)
    sys.stdin.readline()
    for k in range(100):
        kept.add(Task("two-points", {"theta": float(k)}), {"value": k}, 0.1)
"""


def test_two_processes_on_one_store(tmp_path):
    """Both have it open before either writes; every row is there once, and neither fails."""
    command = [sys.executable, "-c", TWO, str(tmp_path / "runs.sqlite")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, **pipes) for _ in range(2)]
    for child in both:
        assert child.stdout.readline() == "open\n", child.stderr.read()
    for child in both:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in both:
        _, err = child.communicate(timeout=300)
        assert child.returncode == 0, err
    with Store(tmp_path / "runs.sqlite") as kept:
        assert len(kept) == 100
