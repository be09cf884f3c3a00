"""Mutation testing: how many small changes of the proof code does no test notice?

    python experiments/mutation.py                    # every group of tests/mutation.toml: many hours
    python experiments/mutation.py rounding bracket   # some groups

Works on a copy of the checkout (cosmic-ray changes files in place), one test process at a time.  Prints the score of
each group and its survivors, and writes them to --out.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("maxmargin", "tests", "experiments", "data", "setup.cfg", "pyproject.toml", "README.md")


def copy(target: Path) -> None:
    """The checkout without its history and caches."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "figures"))
        else:
            shutil.copy(source, target / name)


def expanded(patterns: list[str], where: Path) -> list[str]:
    """Files of the copy that the patterns name."""
    return sorted({name for pattern in patterns for name in glob.glob(pattern, root_dir=where)})


def score(name: str, group: dict[str, Any], settings: dict[str, Any], where: Path) -> dict[str, Any]:
    """Mutants, killed and surviving, of one group."""
    tests = " ".join(expanded(group["tests"], where))
    command = f"{sys.executable} -m pytest -q -x -p no:cacheprovider -p no:randomly --tb=no {tests}"
    listed = [str(file) for file in expanded(group["files"], where)]
    config, session = where / f"{name}.toml", where / f"{name}.sqlite"
    skipped = "".join(f'"{operator}",' for operator in settings["skip"])
    config.write_text(
        f"[cosmic-ray]\nmodule-path = {json.dumps(listed)}\ntimeout = {settings['timeout']}\nexcluded-modules = []\n"
        f"test-command = {json.dumps(command)}\n[cosmic-ray.distributor]\nname = 'local'\n"
        f"[cosmic-ray.filters.operators-filter]\nexclude-operators = [{skipped}]\n",
        encoding="utf-8",
    )
    environment = os.environ | {"PYTHONPATH": str(where), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}

    def call(*arguments: str) -> None:
        subprocess.run([sys.executable, "-m", *arguments], cwd=where, env=environment, check=True)

    call("cosmic_ray.cli", "init", str(config), str(session), "--force")
    call("cosmic_ray.tools.filters.operators_filter", str(session), str(config))
    call("cosmic_ray.cli", "exec", str(config), str(session))
    return summary(session)


def summary(session: Path) -> dict[str, Any]:
    """Counts and survivors out of a cosmic-ray session."""
    with sqlite3.connect(session) as connection:
        rows = connection.execute(
            "SELECT m.module_path, m.operator_name, m.start_pos_row, r.test_outcome, r.worker_outcome, r.diff "
            "FROM mutation_specs m JOIN work_results r ON m.job_id = r.job_id"
        ).fetchall()
    done = [row for row in rows if row[4].endswith("NORMAL") and row[3] is not None]
    alive = [row for row in done if row[3].endswith("SURVIVED")]
    survivors = [{"file": row[0], "line": row[2], "operator": row[1], "diff": row[5]} for row in alive]
    return {"mutants": len(done), "killed": len(done) - len(alive), "survivors": survivors}


def main(argv: list[str] | None = None) -> int:
    settings = tomllib.loads((ROOT / "tests" / "mutation.toml").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description="Score the tests of the proof code by mutation.")
    parser.add_argument("groups", nargs="*", default=[], help=f"some of {', '.join(settings['groups'])} (default: all)")
    parser.add_argument("--out", metavar="FILE", help="write counts and survivors as JSON")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.groups) - set(settings["groups"]):
        parser.error(f"groups: found {', '.join(sorted(unknown))}, wanted some of {', '.join(settings['groups'])}")
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        copy(where)
        for name in arguments.groups or settings["groups"]:
            found = results[name] = score(name, settings["groups"][name], settings, where)
            print(f"{name:14} {found['killed']} of {found['mutants']} mutants killed")
            for survivor in found["survivors"]:
                changed = [line for line in (survivor["diff"] or "").splitlines() if line[:1] in "+-"][2:]
                print(f"  {survivor['file']}:{survivor['line']}  {'  ->  '.join(line[1:].strip() for line in changed)}")
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
