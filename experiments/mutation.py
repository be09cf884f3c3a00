"""Mutation testing: how many small changes of the proof code does no test notice?

    python experiments/mutation.py                            # every group of tests/mutation.toml
    python experiments/mutation.py rounding bracket           # some groups
    python experiments/mutation.py --folder F check           # keeps what is done in F, and goes on from it
    python experiments/mutation.py --folder F --again check   # asks today's tests about those that survived

cosmic-ray changes the files of a copy of the checkout in place, one mutant at a time; experiments/mutation_tests.py
runs the tests.  A group with more mutants than --sample is judged by a random sample of them with a fixed seed.
Prints the score of each group and its survivors, and writes them to --out.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import json
import math
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import WorkerOutcome, WorkResult

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("maxmargin", "tests", "experiments", "data", "examples", "docs", "setup.cfg", "pyproject.toml", "README.md")
LONGEST = 3600.0  # seconds of the clock after which cosmic-ray counts a mutant as killed: CPU seconds decide before


def copy(target: Path) -> None:
    """The checkout without its history and caches; files that are the same already keep their time."""
    ignored = shutil.ignore_patterns("__pycache__", "figures")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignored, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy2(source, target / name)


def expanded(patterns: list[str], where: Path) -> list[str]:
    """Files of the copy that the patterns name."""
    return sorted({name for pattern in patterns for name in glob.glob(pattern, root_dir=where)})


def environment(where: Path) -> dict[str, str]:
    """One BLAS thread, the copy first on the path."""
    return os.environ | {"PYTHONPATH": str(where), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@contextmanager
def served(name: str, given: dict[str, Any], where: Path) -> Iterator[str]:
    """A warm test process; the value is the command that asks it."""
    program, address = str(ROOT / "experiments" / "mutation_tests.py"), where / f"{name}.socket"
    address.unlink(missing_ok=True)
    described = where / f"{name}.json"
    described.write_text(json.dumps(given), encoding="utf-8")
    command = [sys.executable, program, "serve", str(address), str(described)]
    process = subprocess.Popen(command, cwd=where, env=environment(where))
    try:
        while not address.exists():
            if process.poll() is not None:
                raise SystemExit(f"{name}: the unchanged tests failed")
            time.sleep(0.2)
        yield f"{sys.executable} -S -E {program} ask {address}"
    finally:
        address.unlink(missing_ok=True)
        process.wait()


def sample(session: Path, size: int, seed: int, left_out: list[str]) -> int:
    """Leave `size` of the pending mutants, drawn at random from all but the operators `left_out`; returns how many."""
    operators = re.compile("|".join(left_out))
    with use_db(str(session)) as known:
        items = {item.job_id: item.mutations[0] for item in known.pending_work_items}
        ordered = sorted(
            (job for job, mutant in items.items() if not operators.fullmatch(mutant.operator_name)),
            key=lambda job: (str(items[job].module_path), items[job].operator_name, items[job].occurrence),
        )
        kept = set(random.Random(seed).sample(ordered, min(size, len(ordered))))
        skipped = WorkResult(output="outside of the sample", worker_outcome=WorkerOutcome.SKIPPED)
        known.set_multiple_results([job for job in items if job not in kept], skipped)
    return len(ordered)


def forget_survivors(session: Path) -> None:
    """Make the mutants pending again that no test has noticed."""
    with sqlite3.connect(session) as connection:
        connection.execute("DELETE FROM work_results WHERE test_outcome LIKE '%SURVIVED'")


def score(name: str, settings: dict[str, Any], where: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Mutants, killed and surviving, of one group."""
    group, session, config = settings["groups"][name], where / f"{name}.sqlite", where / f"{name}.toml"
    files, tests = expanded(group["files"], where), expanded(group["tests"], where)
    given = {"files": files, "tests": tests, "budget": arguments.budget}
    known = where / f"{name}.known.json"
    digest = hashlib.sha256(b"".join((where / file).read_bytes() for file in files)).hexdigest()
    before = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}

    def call(*words: str) -> None:
        subprocess.run([sys.executable, "-m", *words], cwd=where, env=environment(where), check=True)

    with served(name, given, where) as command:
        config.write_text(
            f"[cosmic-ray]\nmodule-path = {json.dumps(files)}\ntimeout = {LONGEST}\nexcluded-modules = []\n"
            f"test-command = {json.dumps(command)}\n[cosmic-ray.distributor]\nname = 'local'\n",
            encoding="utf-8",
        )
        if before.get("digest") != digest:  # nothing done yet, or the files have changed since
            call("cosmic_ray.cli", "init", str(config), str(session), "--force")
            before = {"digest": digest, "of": sample(session, arguments.sample, arguments.seed, settings["skip"])}
            known.write_text(json.dumps(before), encoding="utf-8")
        elif arguments.again:
            forget_survivors(session)
        call("cosmic_ray.cli", "exec", str(config), str(session))
    return {"of": before["of"]} | summary(session, settings.get("equivalent", []))


def change(diff: str) -> tuple[str, str]:
    """The line before and after."""
    lines = [line for line in diff.splitlines() if line[:1] in ("+", "-") and line[:3] not in ("+++", "---")]
    return tuple(" ".join(line[1:].strip() for line in lines if line[0] == sign) for sign in "-+")  # type: ignore


def summary(session: Path, equivalent: list[dict[str, str]]) -> dict[str, Any]:
    """Counts and survivors out of a cosmic-ray session; `equivalent` are those that no test could notice."""
    with sqlite3.connect(session) as connection:
        rows = connection.execute(
            "SELECT m.module_path, m.operator_name, m.start_pos_row, r.test_outcome, r.worker_outcome, r.diff "
            "FROM mutation_specs m JOIN work_results r ON m.job_id = r.job_id"
        ).fetchall()
    done = [row for row in rows if row[4].endswith("NORMAL") and row[3] is not None]
    alive = [(row, *change(row[5] or "")) for row in done if row[3].endswith("SURVIVED")]
    known = {(entry["file"], before, after) for entry in equivalent for before, after in entry["changes"]}
    same = [one for one in alive if (one[0][0], one[1], one[2]) in known]
    survivors = [
        {"file": row[0], "line": row[2], "before": before, "after": after}
        for row, before, after in alive
        if (row[0], before, after) not in known
    ]
    return {
        "mutants": len(done),
        "killed": len(done) - len(alive),
        "equivalent": len(same),
        "survivors": sorted(survivors, key=lambda one: (one["file"], one["line"])),
    }


def interval(killed: int, judged: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval for the share of all mutants, with the correction for a sample of a finite group."""
    if judged == 0:
        return 0.0, 1.0
    share, spread = killed / judged, 1.96**2 * max(of - judged, 0) / max(of - 1, 1)
    middle, width = (
        share + spread / (2 * judged),
        math.sqrt(spread * share * (1.0 - share) / judged + (spread / (2 * judged)) ** 2),
    )
    return (middle - width) / (1.0 + spread / judged), (middle + width) / (1.0 + spread / judged)


def line(name: str, found: dict[str, Any]) -> str:
    """One line of the table."""
    judged = found["mutants"] - found["equivalent"]
    low, high = interval(found["killed"], judged, found["of"] - found["equivalent"])
    share = 100.0 * found["killed"] / max(judged, 1)
    return (
        f"{name:14} {found['killed']:5d} of {judged:5d} killed ({share:.1f} %, all {found['of']} mutants: "
        f"{100 * low:.1f} to {100 * high:.1f} %), {found['equivalent']} equivalent"
    )


def main(argv: list[str] | None = None) -> int:
    settings = tomllib.loads((ROOT / "tests" / "mutation.toml").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description="Score the tests of the proof code by mutation.")
    parser.add_argument("groups", nargs="*", default=[], help=f"some of {', '.join(settings['groups'])} (default: all)")
    parser.add_argument("--sample", type=int, default=150, help="mutants of a group that are tried (default 150)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default 0)")
    parser.add_argument(
        "--budget", type=float, default=60.0, help="CPU seconds of tests that a mutant may cost, the quickest first"
    )
    parser.add_argument("--folder", metavar="DIR", help="keep the copy and what is done there, and go on from it")
    parser.add_argument("--again", action="store_true", help="with --folder: ask today's tests about the survivors")
    parser.add_argument("--out", metavar="FILE", help="write counts and survivors as JSON")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.groups) - set(settings["groups"]):
        parser.error(f"groups: found {', '.join(sorted(unknown))}, wanted some of {', '.join(settings['groups'])}")
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        where = Path(arguments.folder or temporary).resolve()
        where.mkdir(parents=True, exist_ok=True)
        copy(where)
        for name in arguments.groups or settings["groups"]:
            found = results[name] = score(name, settings, where, arguments)
            print(line(name, found), flush=True)
            for one in found["survivors"]:
                print(f"  {one['file']}:{one['line']}  {one['before']}  ->  {one['after']}", flush=True)
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
