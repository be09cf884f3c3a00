"""Figure 1: four training sets in the plane; both layers and output layer trained, F1 and F2 max margin solved.

    python experiments/fig1.py [smoke|quick|paper]

Finished runs stay in runs.sqlite and are not run again. ``maxmargin reproduce fig1`` does the same,
on several processes if asked.
"""

# %%
import sys

from maxmargin.plots import save_figure
from maxmargin.plots.sweep_figures import sweep_figure
from maxmargin.progress import reporter
from maxmargin.sweeps import Store, run
from maxmargin.sweeps.experiments import EXPERIMENTS, get_setting

experiment = EXPERIMENTS["fig1"]
setting = get_setting(sys.argv[1] if len(sys.argv) > 1 else "quick")

# %%
tasks = experiment.tasks(setting)
with Store("runs.sqlite") as store:
    run(tasks, store, progress=reporter())
    rows = store.results(tasks)

# %%
print(experiment.table(rows).text())

# %%
save_figure(sweep_figure(experiment.name, rows), "fig1.png")
