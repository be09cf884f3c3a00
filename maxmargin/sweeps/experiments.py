"""The paper's experiments: what each one runs, how large it is, and the table that its results make.

`Setting` says where the paper's text and the authors' code differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from ..options import choice
from . import tables
from .store import Task

LAYERS = ("both", "output")
NORMS = ("f1", "f2")
# k and seed of the four training sets of figure 1
PLANES = ((3, 0), (3, 1), (4, 2), (4, 3))
VARIANTS = ("code", "paper")
ASSIGNMENT = "+--++-+-+"  # of figure 2(d): gamma_1 depends on it, so it is fixed; this one is near the printed margins


@dataclass(frozen=True)
class Scale:
    """Sizes of all experiments; d as the authors' code counts it, with the bias coordinate.

    Attributes
    ----------
    repetitions : data seeds of figure 2, random starts of 2(d).
    width, steps, dtype : of every trained network of figure 2 (2(d) has `widths`).
    n_test : fresh points a test error is measured on.
    n, d, k : data of figure 2, where they do not vary.
    sizes, dimensions, widths : the horizontal axes of 2(b), (c), (d).
    branching : rounds of branching for the certified upper end of 2(d).
    plane : n, width, steps, grid points a side of figure 1.
    lazy : n, width, steps, grid points a side of figure 3.
    times : steps whose maps figure 3 shows.
    rates : n, width, steps of the propositions.
    """

    repetitions: int
    width: int
    steps: int
    dtype: str
    n_test: int
    n: int
    d: int
    k: int
    sizes: tuple[int, ...]
    dimensions: tuple[int, ...]
    widths: tuple[int, ...]
    branching: int
    plane: tuple[int, int, int, int]
    lazy: tuple[int, int, int, int]
    times: tuple[int, ...]
    rates: tuple[int, int, int]


SCALES = {
    "smoke": Scale(
        2, 30, 600, "float64", 500, 24, 4, 2, (16, 24, 32), (3, 4, 5), (4, 16, 64), 6,
        (20, 40, 300, 21), (12, 60, 2000, 21), (10, 300, 2000), (16, 200, 2000),
    ),
    "quick": Scale(
        3, 300, 10_000, "float32", 4000, 256, 15, 3, (32, 64, 128, 256), (5, 10, 15, 20), (8, 32, 128, 512), 20,
        (100, 300, 20_000, 81), (60, 400, 60_000, 81), (100, 500, 5000, 30_000, 60_000), (64, 300, 20_000),
    ),
    "paper": Scale(
        20, 1000, 50_000, "float32", 4000, 256, 15, 3, (32, 64, 128, 256, 512), (5, 10, 15, 20, 25),
        (8, 16, 32, 64, 128, 256, 512, 1024), 60,
        (100, 500, 300_000, 121), (60, 1000, 300_000, 121), (100, 500, 5000, 30_000, 60_000, 300_000),
        (256, 1000, 50_000),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """A scale, a variant and a seed: all that the tasks of an experiment depend on.

    Attributes
    ----------
    variant : "code", the authors' program: d counts the bias, disks denser at their centres, floor(k^2/2) disks
        negative, exponential loss, one sample for all runs of figure 2(d); "paper", its text: d coordinates beside the
        bias, uniform disks, independent signs, logistic loss, a fresh sample for every run.
    seed : shifts every seed of data and weights.
    """

    scale: Scale
    variant: str = "code"
    seed: int = 0

    def data(self, n: int, d: int, k: int, seed: int, *, labels: str = "", n_test: int | None = None) -> dict[str, Any]:
        """Options of `clusters_sample`; seeds of different settings do not meet."""
        return {
            "n": n,
            "d": d if self.variant == "code" else d + 1,
            "k": k,
            "seed": self.of(seed),
            "variant": self.variant,
            "labels": labels if len(labels) == k * k else "",
            "n_test": self.scale.n_test if n_test is None else n_test,
        }

    @property
    def loss(self) -> str:
        """ "exp" for the authors' code, "logistic" for the text of the paper."""
        return "exp" if self.variant == "code" else "logistic"

    def of(self, seed: int) -> int:
        """That seed, shifted."""
        return 1000 * self.seed + seed


def get_setting(scale: str, variant: str = "code", seed: int = 0) -> Setting:
    """The setting of these names.

    Raises
    ------
    InputError : there is no such scale or variant.
    """
    return Setting(SCALES[choice("scale", scale, SCALES)], choice("variant", variant, VARIANTS), seed)


@dataclass(frozen=True)
class Experiment:
    """One figure.

    Attributes
    ----------
    name, title : its name, and what it shows.
    tasks : setting -> its tasks, repetition by repetition.
    table : rows (parameters, result) -> its numbers, beside the paper's where there are any.
    """

    name: str
    title: str
    tasks: Callable[[Setting], list[Task]]
    table: Callable[[list[tables.Row]], tables.Table]


def fig1(setting: Setting) -> list[Task]:
    """Four sets in the plane, each with two solved and two trained classifiers."""
    n, width, steps, count = setting.scale.plane
    tasks = []
    for k, seed in PLANES:
        data = setting.data(n, 3 if setting.variant == "code" else 2, k, seed, n_test=1)
        training = {"width": width, "steps": steps, "seed": setting.of(seed), "loss": setting.loss}
        for name in (*NORMS, *LAYERS):
            options = training if name in LAYERS else {}
            tasks.append(Task("picture", {"data": data, "classifier": name, "count": count, "training": options}))
    return tasks


def fig2b(setting: Setting) -> list[Task]:
    """Test error against n; smaller samples are prefixes of larger ones."""
    return _classifiers(setting, [(n, setting.scale.d) for n in setting.scale.sizes])


def fig2c(setting: Setting) -> list[Task]:
    """Test error against d; its point d = 15 has the runs of figure 2(b)'s point n = 256."""
    return _classifiers(setting, [(setting.scale.n, d) for d in setting.scale.dimensions])


def _classifiers(setting: Setting, sizes: list[tuple[int, int]]) -> list[Task]:
    """Both trainings and both solved classifiers on a sample of each size n, d, for every repetition."""
    tasks, scale = [], setting.scale
    for r, (n, d) in product(range(scale.repetitions), sizes):
        data = setting.data(n, d, scale.k, r)
        tasks += [_training(setting, data, layers, scale.width, r) for layers in LAYERS]
        tasks += [Task("solve", {"data": data, "norm": norm}) for norm in NORMS]
    return tasks


def _training(setting: Setting, data: dict[str, Any], layers: str, width: int, r: int) -> Task:
    scale = setting.scale
    options = {"width": width, "steps": scale.steps, "seed": setting.of(r), "dtype": scale.dtype, "loss": setting.loss}
    return Task("train", {"data": data, "layers": layers, **options})


def fig2d(setting: Setting) -> list[Task]:
    """F1 margin against m, and gamma_1: one sample and many starts in the code, fresh samples in the text."""
    scale, tasks = setting.scale, []
    for r in range(scale.repetitions):
        sample = 0 if setting.variant == "code" else r
        data = setting.data(scale.n, scale.d, scale.k, sample, labels=ASSIGNMENT)
        tasks += [_training(setting, data, "both", width, r) for width in scale.widths]
        if sample == r:
            tasks.append(Task("certify", {"data": data | {"n_test": 1}, "rounds": scale.branching}))
    return tasks


def fig3(setting: Setting) -> list[Task]:
    """From N(0, 40^2) with a constant step, lazy, then rich; and once more from a start whose output is zero."""
    n, width, steps, count = setting.scale.lazy
    data = setting.data(n, 3 if setting.variant == "code" else 2, setting.scale.k, 0, n_test=1)
    # the tangent kernel is about 40^2 |z|^2: steps of its inverse follow the flow
    training = {"width": width, "steps": steps, "seed": setting.of(0), "loss": setting.loss}
    training |= {"step_size": 1.0 / 1600.0}
    common = {"data": data, "count": count, "times": list(setting.scale.times)}
    return [Task("lazy", common | {"training": training | {"init": init}}) for init in ("gaussian:40", "paired:40")]


def rates(setting: Setting) -> list[Task]:
    """Propositions 6 (as it stands, and with steps 16 times as long) and 7."""
    n, width, steps = setting.scale.rates
    data = setting.data(n, 4, 2, 0, n_test=1)
    common = {"data": data, "width": width, "steps": steps, "seed": setting.of(0)}
    return [
        Task("rate", common | {"proposition": proposition, "multiple": multiple})
        for proposition, multiple in ((6, 1.0), (6, 16.0), (7, 1.0))
    ]


EXPERIMENTS = {
    item.name: item
    for item in (
        Experiment("fig1", "classifiers in the plane, trained and solved", fig1, tables.planes),
        Experiment("fig2b", "test error against n", fig2b, partial(tables.errors, axis="n")),
        Experiment("fig2c", "test error against d", fig2c, partial(tables.errors, axis="d")),
        Experiment("fig2d", "F1 margin against m", fig2d, tables.margins_by_width),
        Experiment("fig3", "from the tangent kernel to F1", fig3, tables.lazy_to_rich),
        Experiment("rates", "Propositions 6 and 7: promised and actual gaps", rates, tables.rates),
    )
}


def get_experiments(name: str) -> list[Experiment]:
    """The experiment of that name, or all of them.

    Raises
    ------
    InputError : there is no such experiment.
    """
    choice("experiment", name, (*EXPERIMENTS, "all"))
    return list(EXPERIMENTS.values()) if name == "all" else [EXPERIMENTS[name]]
