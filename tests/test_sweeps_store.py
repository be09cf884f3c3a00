"""The store: keys, refusals, and a sweep that is killed, resumed, shared between processes, or sent to a cluster."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from maxmargin.errors import InputError
from maxmargin.sweeps import Store, Task, run
from maxmargin.sweeps.experiments import get_experiments, get_setting

TASKS = [task for name in ("fig2b", "fig2d", "rates") for task in get_experiments(name)[0].tasks(get_setting("smoke"))]
SWEEP = """
import sys
from maxmargin.cli import main
for name in ("fig2b", "fig2d", "rates"):
    main(["reproduce", name, "--scale", "smoke", "--quiet", "--store", sys.argv[1], "--out", sys.argv[2]])
"""


def contents(path, **options):
    with Store(path) as store:
        run(TASKS, store, **options)
        return store.content()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return contents(tmp_path_factory.mktemp("store") / "runs.sqlite")


def test_keys_are_stable_and_do_not_depend_on_order():
    task = Task("train", {"data": {"n": 8, "d": 3}, "seed": 0})
    same = Task("train", {"seed": 0, "data": {"d": 3, "n": 8}})
    assert task.key == same.key == "d3a78e23828a05e949a65229efe2048e7463c1a607ee7adc9d6fada8a0e08b8d"
    others = [Task("solve", task.parameters), Task("train", task.parameters | {"seed": 1})]
    assert len({task.key, *(other.key for other in others)}) == 3


def test_equal_runs_of_two_figures_are_one_task():
    """Figure 2(b) at n = 256 and figure 2(c) at d = 15 are the same networks."""
    setting = get_setting("paper")
    keys = [{task.key for task in get_experiments(name)[0].tasks(setting)} for name in ("fig2b", "fig2c")]
    assert len(keys[0] & keys[1]) == 20 * 4


def test_finished_tasks_are_not_run_again(tmp_path):
    task = Task("no-such-work", {})
    with Store(tmp_path / "s.sqlite") as store:
        store.add(task, {"x": 1.5}, 0.1)
        store.add(task, {"x": 2.5}, 0.1)
        assert run([task], store) == 0
        assert store.results([task, Task("other", {})]) == [({}, {"x": 1.5})]
        assert store.seconds([task]) == 0.1
        assert len(store) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))  # twice each: ten random moments
def test_killed_and_resumed_equals_undisturbed(tmp_path, seed, undisturbed):
    path, rng = tmp_path / "runs.sqlite", random.Random(seed)
    seen = 0
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", SWEEP, str(path), str(tmp_path)])
        while process.poll() is None and finished(path) <= seen:
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert finished(path) > seen  # nothing that was there is lost
        seen = finished(path)
    with Store(path) as store:
        assert set(store.content()) <= set(undisturbed)
        assert run(TASKS, store) == len(undisturbed) - seen
    assert contents(path) == undisturbed


def finished(path):
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    try:
        return connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    except sqlite3.OperationalError:  # not created yet
        return 0
    finally:
        connection.close()


def test_two_processes_give_the_same_content(tmp_path, undisturbed):
    lines = []
    assert contents(tmp_path / "runs.sqlite", jobs=2, progress=lines.append) == undisturbed
    assert len(lines) == len(undisturbed)
    assert lines[-1].startswith(f"{len(undisturbed)} of {len(undisturbed)} runs  0 s left")


def test_interrupted_keeps_what_is_finished(tmp_path, undisturbed):
    def interrupt(line):
        if line.startswith("3 of"):
            raise KeyboardInterrupt

    with Store(tmp_path / "runs.sqlite") as store:
        with pytest.raises(KeyboardInterrupt):
            run(TASKS, store, progress=interrupt)
        assert len(store) == 3
        assert set(store.content()) <= set(undisturbed)


def test_a_run_that_ctrl_c_cuts_short_is_not_a_result(tmp_path, monkeypatch):
    """Solvers and flows answer Ctrl-C with what they have; the sweep must not take that for the run."""

    def half():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return {"half": True}

    monkeypatch.setattr("maxmargin.sweeps.works.WORKS", {"half": half})
    before = signal.getsignal(signal.SIGINT)
    with Store(tmp_path / "runs.sqlite") as store:
        with pytest.raises(KeyboardInterrupt):
            run([Task("half", {})], store)
        assert len(store) == 0
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # dask's own
def test_dask_cluster_gives_the_same_content(tmp_path, undisturbed):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        assert contents(tmp_path / "runs.sqlite", dask=cluster.scheduler_address) == undisturbed


@pytest.mark.filterwarnings("ignore")
def test_unreachable_cluster_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("maxmargin.sweeps.runner._CONNECT", 0.5)
    with Store(tmp_path / "s.sqlite") as store:
        with pytest.raises(InputError, match="dask"):
            run(TASKS, store, dask="tcp://127.0.0.1:9")
        monkeypatch.setitem(sys.modules, "distributed", None)
        with pytest.raises(InputError, match="not installed"):
            run(TASKS, store, dask="tcp://127.0.0.1:9")
        with pytest.raises(InputError, match="jobs"):
            run(TASKS, store, jobs=0)


def test_files_of_others_are_refused_and_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and longer than a hundred bytes " * 4)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE runs (key TEXT)")
    connection.close()
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(InputError, match="store"):
            Store(path)
        assert path.read_bytes() == before
    for path in (tmp_path, tmp_path / "no" / "folder.sqlite"):
        with pytest.raises(InputError, match="folder"):
            Store(path)
