"""Figure 2(d): F1 margin against m, under the certified gamma_1.

    python experiments/fig2d.py [smoke|quick|paper]

Finished runs stay in runs.sqlite and are not run again. ``maxmargin reproduce fig2d`` does the same,
on several processes if asked.
"""

# %%
import sys

from maxmargin.plots import save_figure
from maxmargin.plots.sweep_figures import sweep_figure
from maxmargin.progress import reporter
from maxmargin.sweeps import Store, run
from maxmargin.sweeps.experiments import EXPERIMENTS, get_setting

experiment = EXPERIMENTS["fig2d"]
setting = get_setting(sys.argv[1] if len(sys.argv) > 1 else "quick")

# %%
tasks = experiment.tasks(setting)
with Store("runs.sqlite") as store:
    run(tasks, store, progress=reporter())
    rows = store.results(tasks)

# %%
print(experiment.table(rows).text())

# %%
save_figure(sweep_figure(experiment.name, rows), "fig2d.png")
