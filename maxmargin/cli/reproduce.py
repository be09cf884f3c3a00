"""``maxmargin reproduce``: the paper's figures, drawn from stored runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import atomic
from . import common

if TYPE_CHECKING:
    from ..sweeps import Store
    from ..sweeps.experiments import Experiment, Setting

FIGURES = ("fig1", "fig2b", "fig2c", "fig2d", "fig3", "rates", "all")

HELP = "run the paper's experiments (finished runs are kept) and draw its figures"
EXAMPLE = "maxmargin reproduce fig2b --scale quick --jobs 2 --out reproduced"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("figure", choices=FIGURES, metavar="FIGURE", help=", ".join(FIGURES))
    parser.add_argument(
        "--scale",
        choices=("smoke", "quick", "paper"),
        default="quick",
        help="smoke: seconds; quick: minutes (default); paper: the published sizes, an hour or more",
    )
    parser.add_argument(
        "--variant",
        choices=("code", "paper"),
        default="code",
        help="where they differ, follow the authors' code (default) or the paper's text",
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="number of processes; -1 means one per core (default 1)"
    )
    parser.add_argument("--store", metavar="FILE", help="file that keeps finished runs (default: runs.sqlite in --out)")
    parser.add_argument("--dask", metavar="ADDRESS", help="run on a dask cluster, e.g. tcp://127.0.0.1:8786")
    parser.add_argument(
        "--out", metavar="DIR", default="reproduced", help="folder for figures and numbers (default: reproduced)"
    )
    common.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the experiments that are missing in the store, and draw figures and tables."""
    from ..sweeps import Store, run
    from ..sweeps.experiments import get_experiments, get_setting

    common.check_writable(arguments.json)
    out = common.make_folder("--out", arguments.out)
    setting = get_setting(arguments.scale, arguments.variant, arguments.seed)
    experiments = get_experiments(arguments.figure)
    progress = common.progress(arguments)
    document: dict[str, Any] = {"format": "maxmargin-reproduction", "version": 1, "scale": arguments.scale}
    document |= {"variant": arguments.variant, "seed": arguments.seed, "experiments": {}}
    pages = []
    with Store(arguments.store or out / "runs.sqlite") as store:
        tasks = [task for experiment in experiments for task in experiment.tasks(setting)]
        run(tasks, store, arguments.jobs, arguments.dask, progress)
        for experiment in experiments:
            progress(f"drawing {experiment.name}")
            page, numbers = _deliver(experiment, setting, store, out)
            pages.append(page)
            document["experiments"][experiment.name] = numbers
    del progress  # ends its line
    atomic.write_json(out / "numbers.json", document)
    common.deliver(arguments, lambda: document, lambda: "\n\n".join([*pages, f"figures and numbers: {out}"]))
    return 0


def _deliver(experiment: Experiment, setting: Setting, store: Store, out: Path) -> tuple[str, dict[str, Any]]:
    """Write one figure and its numbers from the store alone; the table as text and as data."""
    from ..plots import save_figure
    from ..plots.sweep_figures import sweep_figure

    tasks = experiment.tasks(setting)
    rows, seconds = store.results(tasks), store.seconds(tasks)
    table = experiment.table(rows)
    save_figure(sweep_figure(experiment.name, rows), out / f"{experiment.name}.png")
    atomic.write_text(out / f"{experiment.name}.csv", table.csv())
    page = f"{experiment.name}: {experiment.title} ({len(rows)} runs, {seconds:.0f} s of computing)\n{table.text()}"
    return page, {"title": experiment.title, "runs": len(rows), "seconds": seconds, **table.to_json()}
