"""Write the finished paper-scale runs of a store to data/paper/: the runs themselves, and the table of each figure.

    maxmargin reproduce all --scale paper --jobs 2 --store runs.sqlite --out reproduced
    python experiments/ship_results.py runs.sqlite

Only runs that the experiments of today ask for are copied. Nothing is computed; if one is missing, nothing is written.
"""

# %%
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from maxmargin.atomic import write_text
from maxmargin.errors import InputError
from maxmargin.sweeps import Store
from maxmargin.sweeps.experiments import EXPERIMENTS, get_setting

source = sys.argv[1] if len(sys.argv) > 1 else "runs.sqlite"
target = Path(__file__).resolve().parent.parent / "data" / "paper"
tasks = {name: experiment.tasks(get_setting("paper")) for name, experiment in EXPERIMENTS.items()}
keys = sorted({task.key for group in tasks.values() for task in group})

# %%
with Store(source) as store:
    missing = len(set(keys) - store.keys())
    if missing:
        raise InputError(f"store {source!r}: {missing} of {len(keys)} runs are missing; run maxmargin reproduce first")
    target.mkdir(exist_ok=True)
    for name, experiment in EXPERIMENTS.items():
        write_text(target / f"{name}.csv", experiment.table(store.results(tasks[name])).csv())

# %%
with tempfile.TemporaryDirectory(dir=target) as folder:
    made = Path(folder) / "runs.sqlite"
    with Store(made):  # an empty store of today's layout
        pass
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS source", (source,))
        connection.executemany("INSERT INTO runs SELECT * FROM source.runs WHERE key = ?", [(key,) for key in keys])
        connection.execute("DETACH source")
        connection.execute("VACUUM")
    made.replace(target / "runs.sqlite")

# %%
with Store(target / "runs.sqlite") as store:
    for name, group in tasks.items():
        print(f"{name}: {len({task.key for task in group})} runs, {store.seconds(group):.0f} s")
