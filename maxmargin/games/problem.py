"""Which margin of which data: the entry "problem" of a certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..features import homogeneous
from ..features.homogeneous import Feature, get_feature


@dataclass(frozen=True)
class Problem:
    """Which margin of which data: everything that gives the numbers their meaning.

    Attributes
    ----------
    norm : "f1", "f2" or "ntk".  feature : the activation.  bias : z = (x, 1) or z = x.
    convention : "sphere" or "path" (F1 only; kernels do not depend on it).
    law : of the random directions of a kernel, "sphere" or "gaussian" (kernels only, else None).
    n, d : number of points and of features.  data_sha256 : hash of the points and labels.
    label : name of the data's label column.  standardized : the margin is one of the standardised data.
    notes : warnings about the data (see `Dataset.notes`).
    nu : fraction of the points, those of worst margin, over which a soft margin averages; None for the hard margin.
    """

    norm: str
    feature: Feature
    bias: bool
    convention: str
    n: int
    d: int
    data_sha256: str
    law: str | None = None
    label: str | None = None
    standardized: bool = False
    notes: tuple[str, ...] = ()
    nu: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry "problem" of the certificate; fields that are not set are left out."""
        document: dict[str, Any] = {
            "norm": self.norm,
            "feature": homogeneous.document(self.feature),
            "bias": self.bias,
            "convention": self.convention,
            "n": self.n,
            "d": self.d,
            "data_sha256": self.data_sha256,
        }
        optional: dict[str, Any] = {"weights": self.law, "label": self.label}
        optional |= {"nu": self.nu, "standardized": self.standardized or None, "notes": list(self.notes) or None}
        return document | {key: value for key, value in optional.items() if value is not None}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Problem:
        """Read what `to_json` wrote; KeyError, TypeError or ValueError where it is something else."""
        feature, notes = get_feature(document["feature"]), tuple(map(str, document.get("notes", ())))
        law = document.get("weights", document.get("law"))
        rest = {key: value for key, value in document.items() if key != "weights"}
        return cls(**rest | {"feature": feature, "notes": notes, "law": law})
