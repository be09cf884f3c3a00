"""Hard or soft margin, as asked; if it is zero: soften, raise or warn."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from ..dataset import Dataset
from ..errors import InputError
from ..features.homogeneous import Feature, get_feature
from ..games.certificate import Certificate
from ..margins import Request, margin
from ..options import choice
from ..outcome import Status
from .base import MarginClassifier

ON_INSEPARABLE = ("soften", "warn", "error")
FIRST_NU = 0.1


class SoftMarginClassifier(MarginClassifier):
    """Chooses between the two problems."""

    feature: str | Feature
    nu: float | None
    on_inseparable: str
    nu_: float | None
    inseparability_: Certificate | None

    def _solve(self, data: Dataset, norm: str, **options: Any) -> None:
        """Set the fitted attributes of the problem that applies; `options` are those of `Request` that differ."""
        shared: dict[str, Any] = {name: getattr(self, name) for name in ("bias", "tol", "time_limit")}
        request = Request(data, norm, get_feature(self.feature), **shared, **options)
        choice("on_inseparable", self.on_inseparable, ON_INSEPARABLE)
        certificate = margin(replace(request, nu=self.nu))
        self.nu_, self.inseparability_ = self.nu, None
        self.separable_ = certificate.lower > 0.0
        if not self.separable_:
            self.inseparability_, certificate = certificate, self._softened(request, certificate)
        self.status_ = self._sentence(certificate)
        self._proved(certificate)

    def _softened(self, request: Request, failed: Certificate) -> Certificate:
        """The soft problem of the least nu = 0.1, 0.2, 0.4, 0.8, 1 (above the one asked for) with a positive margin."""
        found = _why(failed)
        if self.on_inseparable == "error":
            remedy = "set a larger nu, e.g. nu=0.4, or on_inseparable='soften'"
            raise InputError(f"X, y: {found}, wanted a positive margin; {remedy}")
        nu = FIRST_NU if self.nu is None else min(1.0, 2.0 * self.nu)
        while (soft := margin(replace(request, nu=nu))).lower <= 0.0 and nu < 1.0:
            nu = min(1.0, 2.0 * nu)
        self.nu_ = nu
        if self.on_inseparable == "warn":
            message = f"{found}: solved the soft margin with nu={nu:g} instead"
            warnings.warn(message, UserWarning, stacklevel=5)
        return soft

    def _sentence(self, certificate: Certificate) -> str:
        proved = f"{certificate.status.value}, bracket closed to {100 * certificate.relative_gap:.2g} %"
        if self.nu_ is None:
            return f"hard margin; {proved}"
        reason = "as asked" if self.inseparability_ is None else f"because {_why(self.inseparability_)}"
        return f"soft margin with nu={self.nu_:g}, {reason}; {proved}"


def _why(failed: Certificate) -> str:
    """Why a softer margin is solved: a proof that there is no positive one, or only that none was found."""
    if failed.status is Status.NOT_SEPARABLE:
        return "the data are not separable (margin 0)"
    return f"no classifier of positive margin was found (the margin is at most {failed.upper:.2g})"
