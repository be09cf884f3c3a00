"""How large the experiments are, and where the paper's text and the authors' code differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..options import choice

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
