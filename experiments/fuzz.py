"""Fuzzing: random and degenerate games; independent references, which share no code, try to refute each bracket.

    python experiments/fuzz.py --minutes 10                      # as many games as the time allows
    python experiments/fuzz.py --games 100000 --jobs 2 --store fuzz.json   # goes on where it was stopped
    python experiments/fuzz.py --games 2000 --seed 1000      # near duplicates and tiny features in D = 4 to 8

For every game: the lower end in fractions (or 80 digits), the upper end against random ascent and, for few points in
D <= 3, against all faces in fractions; the referee must accept the certificate and refuse it when an end is moved
across the other; now and then a short training run must stay below the upper end.  Counts by group are printed; the
exit status is 1 if a bracket is refuted, with the smallest game that shows it in --out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

sys.path.insert(0, str(Path(__file__).parent))

import fuzz_reference as reference  # noqa: E402
import numpy as np  # noqa: E402
from fuzz_games import CLOSE_KINDS, KINDS, Game, game  # noqa: E402

import maxmargin as mm  # noqa: E402

CHUNK = 45  # games of a task: a multiple of the kinds
SLOW = 20.0  # seconds of a core that no default call on so few points may take
TRAINED = 40  # one game in so many is trained, too
REFUTED, UNSETTLED, ERROR, FINE, SLOWLY = "refuted", "not settled", "error", "fine", "slow"


def judge(question: Game) -> tuple[str, str, str, dict[str, Any] | None]:
    """(outcome, reason, status of the certificate, certificate) of one game."""
    start = time.process_time()  # other processes may take the core
    try:
        certificate = question.solve()
    except Exception:  # whatever a default call raises on finite data is a finding
        return ERROR, traceback.format_exc(limit=-3).strip().replace("\n", " | "), "-", None
    seconds, document = time.process_time() - start, certificate.to_json()
    try:
        wrong = refutation(question, document)
    except Exception:
        return ERROR, "reference: " + traceback.format_exc(limit=-3).strip().replace("\n", " | "), "-", document
    if wrong is not None:
        return REFUTED, wrong, document["status"], document
    return *refereed(question, document, seconds), document["status"], document


def refereed(question: Game, document: dict[str, Any], seconds: float) -> tuple[str, str]:
    """Whether the referee agrees, both ways, and how long the solve took."""
    verdict = mm.check_certificate(document, question.X, question.y, time_limit=20.0)
    if not verdict.holds:
        return REFUTED if verdict.settled else UNSETTLED, f"referee: {verdict.reason}"
    if (accepted := accepts_a_false_one(question, document)) is not None:
        return REFUTED, accepted
    return (SLOWLY, f"{seconds:.1f} s of a core") if seconds > SLOW else (FINE, "")


def refutation(question: Game, document: dict[str, Any]) -> str | None:
    """What the independent references say against the bracket."""
    rng = np.random.default_rng([question.seed, question.index, 1])
    exact = reference.Exact(document, question.X, question.y)
    if question.norm in ("f2", "ntk"):
        return reference.kernel_ends(document, exact, question.norm, question.options["weights"])
    found = reference.lower_end(document, exact)
    found = found or reference.upper_end(document, exact, rng, document.get("dictionary"))
    if found is None and question.norm == "f1" and question.index % TRAINED == 0:
        found = trained(question, document)
    return found


def trained(question: Game, document: dict[str, Any]) -> str | None:
    """A network trained for a moment is a classifier: its margin is below the upper end."""
    if question.options["feature"].name != "relu" or question.options["convention"] != "sphere":
        return None
    data = (question.X, question.y)
    run = mm.train(data, layers="both", width=30, steps=200, bias=question.options["bias"], seed=0)
    if document["upper"] is not None and run.margin_best > document["upper"] * (1.0 + 1e-9):
        return f"upper: a trained network has the margin {run.margin_best!r}"
    return None


def accepts_a_false_one(question: Game, document: dict[str, Any]) -> str | None:
    """The referee refuses the certificate when one end is moved across the other."""
    lower, upper = document["lower"], document["upper"]
    if not lower > 0.0 or upper is None or document["status"] == "not-separable":
        return None
    above, below = upper * (1.0 + 1e-6), lower * (1.0 - 1e-6)
    for false in ({"lower": above, "upper": 2.0 * above}, {"lower": 0.5 * below, "upper": below}):
        moved = document | false | {"status": "bracketed", "scope": document["scope"]}
        moved["relative_gap"] = (moved["upper"] - moved["lower"]) / moved["upper"]
        if moved["scope"] == "sphere-exact" and moved.get("proof") is not None:
            moved["scope"] = "sphere-bound"
        if mm.check_certificate(moved, question.X, question.y, time_limit=20.0).holds:
            return f"referee: accepts {false}"
    return None


def chunk(seed: int, number: int) -> dict[str, Any]:
    """Outcomes of the games of one task: counts by group, findings, the slowest game."""
    counts: Counter[str] = Counter()
    findings, slowest = [], (0.0, 0)
    for index in range(number * CHUNK, (number + 1) * CHUNK):
        question, start = game(seed, index), time.perf_counter()
        outcome, reason, status, _ = judge(question)
        slowest = max(slowest, (time.perf_counter() - start, index))
        counts[f"{question.kind}|{question.norm}|{outcome}"] += 1
        counts[f"status|{question.norm}|{status}"] += 1
        if outcome != FINE:
            findings.append({"index": index, "outcome": outcome, "reason": reason[:500]})
    return {"number": number, "counts": dict(counts), "findings": findings, "slowest": slowest}


def smaller(question: Game, outcome: str) -> Game:
    """The game without the points that the finding does not need."""
    i = 0
    while i < len(question.y):
        less = question.without(i)
        if len(np.unique(less.y)) == 2 and judge(less)[0] == outcome:
            question = less
        else:
            i += 1
    return question


class Store:
    """The state of a run in one JSON file, so that a stopped run can continue."""

    def __init__(self, path: str | None, seed: int) -> None:
        self.path = Path(path) if path else None
        self.state: dict[str, Any] = {"seed": seed, "done": [], "counts": {}, "findings": [], "slowest": [0.0, 0]}
        if self.path and self.path.exists():
            known = json.loads(self.path.read_text(encoding="utf-8"))
            if known["seed"] != seed:
                raise SystemExit(f"--store: {path} is of seed {known['seed']}, wanted {seed}; name another file")
            self.state = known

    def add(self, found: dict[str, Any]) -> None:
        """Record one task and write the file."""
        self.state["done"].append(found["number"])
        self.state["counts"] = dict(Counter(self.state["counts"]) + Counter(found["counts"]))
        self.state["findings"] += found["findings"]
        self.state["slowest"] = max(self.state["slowest"], list(found["slowest"]))
        if self.path:
            fresh = self.path.with_suffix(".part")
            fresh.write_text(json.dumps(self.state), encoding="utf-8")
            os.replace(fresh, self.path)


def run(arguments: argparse.Namespace) -> Store:
    """Ask until the games or the minutes are over."""
    store = Store(arguments.store, arguments.seed)
    end = time.monotonic() + 60.0 * arguments.minutes if arguments.minutes else float("inf")
    last = -(-arguments.games // CHUNK) if arguments.games else sys.maxsize
    done = set(store.state["done"])
    numbers = (k for k in range(last) if k not in done)
    if arguments.jobs == 1:
        for number in numbers:
            if time.monotonic() > end:
                break
            store.add(chunk(arguments.seed, number))
        return store
    with ProcessPoolExecutor(arguments.jobs) as pool:
        running: set[Future[dict[str, Any]]] = set()
        while True:
            while len(running) < 2 * arguments.jobs and time.monotonic() < end:
                if (number := next(numbers, None)) is None:
                    break
                running.add(pool.submit(chunk, arguments.seed, number))
            if not running:
                return store
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for task in finished:
                store.add(task.result())


def table(state: dict[str, Any]) -> str:
    """Counts by kind and norm, one line each, then the findings."""
    counts = {tuple(key.split("|")): value for key, value in state["counts"].items()}
    kinds = [kind for kind in (*KINDS, *CLOSE_KINDS) if any(key[0] == kind for key in counts)]
    games = {key: value for key, value in counts.items() if key[0] in kinds}
    lines = [f"{'group':18} {'games':>7} {'refuted':>8} {'not settled':>12} {'error':>6} {'slow':>5}"]
    for column, names in ((0, kinds), (1, sorted({key[1] for key in games}))):
        for name in names:
            rows = {key[2]: 0 for key in games}
            for key, value in games.items():
                rows[key[2]] += value if key[column] == name else 0
            shown = [rows.get(outcome, 0) for outcome in (REFUTED, UNSETTLED, ERROR, SLOWLY)]
            lines.append("{:18} {:7d} {:8d} {:12d} {:6d} {:5d}".format(name, sum(rows.values()), *shown))
    statuses = Counter[str]()
    for key, value in counts.items():
        if key[0] == "status":
            statuses[key[2]] += value
    lines.append(f"{sum(games.values())} games; " + ", ".join(f"{v} {k}" for k, v in sorted(statuses.items())))
    lines.append("slowest game: {1}, {0:.1f} s with its judgement".format(*state["slowest"]))
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Attack the brackets of random games; exit 1 if one is refuted.")
    parser.add_argument("--minutes", type=float, help="stop after so many minutes")
    parser.add_argument("--games", type=int, help="stop after so many games of the series")
    parser.add_argument("--seed", type=int, default=0, help="which series of games (default 0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--store", metavar="FILE", help="keep what is done in this JSON file, and go on from it")
    parser.add_argument("--out", metavar="FILE", default="refuted.json", help="where the smallest reproducer goes")
    arguments = parser.parse_args(argv)
    if not arguments.minutes and not arguments.games:
        arguments.minutes = 1.0
    store = run(arguments)
    print(table(store.state))
    for finding in store.state["findings"][:50]:
        print(f"{finding['outcome']:12} game {finding['index']}: {finding['reason'][:300]}")
    serious = [finding for finding in store.state["findings"] if finding["outcome"] == REFUTED]
    if not serious:
        return 0
    found = [smaller(game(arguments.seed, finding["index"]), REFUTED) for finding in serious[:5]]
    least = min(found, key=lambda question: question.X.size)
    outcome, reason, _, document = judge(least)
    Path(arguments.out).write_text(
        json.dumps({"outcome": outcome, "reason": reason, "game": least.to_json(), "certificate": document}, indent=1),
        encoding="utf-8",
    )
    print(f"the smallest reproducer is in {arguments.out}")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
