"""What to see in each figure of the report."""

from __future__ import annotations

from typing import Any

_CURVE = (
    "Thick: the best margin so far; thin: recorded iterates. The dashed lines are the two ends of the proved bracket "
    "(one line where they agree); the curve cannot cross the upper one. Both-layer margins are divided by the F1 "
    "norm, output-layer margins by the L2 norm over that network's own random features, so each panel has its own "
    "reference."
)
_SUPPORT = (
    "Rings mark the points that the adversary weights (trained panels: the points within 10 % of the network's "
    "margin). If the theory holds at this width and time, the lower panels look like those above them."
)
_DECISION = {
    1: "Each f is divided by its own margin, so it has to pass every point's triangle at height +1 or \u22121 on "
    "the side the triangle points to. F1 bends at few places, F2 everywhere. ",
    2: "Colour: f(x) in units of its own margin; solid: the decision boundary; dashed: f = \u00b1margin, which no "
    "point may enter. F1 draws straight pieces from few neurons, F2 smooth curves. ",
}
_PLANE = (
    "The plane is that of the F1 neurons' two principal directions; its axes name the features they combine. Colour: "
    "f averaged over the other coordinates of the data, so a point may lie on the wrong side here and on the right "
    "one in full space. "
)
_DOTS = (
    "Each dot is the direction of a trained neuron, its area the share of the network's mass, its colour the class "
    "it votes for; stars are the atoms of the F1 max-margin classifier. As the margin approaches its limit, the mass "
    "gathers at the stars; small dots elsewhere are neurons that carry almost no mass."
)
_NEURONS = {
    2: f"The circle holds every possible neuron. {_DOTS}",
    3: f"The two discs hold every possible neuron (equal-area maps of the half spheres). {_DOTS} The thin lines "
    "are the places where a neuron's kink passes through a support point.",
}
_SHADOWS = f"The unit sphere projected on the atoms' principal plane (rim: directions inside the plane). {_DOTS}"
_PAYS = (
    "The adversary puts weight p on the points; a neuron is paid the correlation of its output with the weighted "
    "labels. The proved upper end of the margin is at least the largest payment that any neuron gets. "
)
_BAND = " Above: the band of the sphere on which neurons are paid; below: the highest payment at each longitude."


def caption(comparison: Any, name: str) -> tuple[str, str]:
    """(title, what to see) of a figure; unknown names get their name."""
    d, certificate = comparison.dataset.d, comparison.margins.get("f1")
    D = d + (certificate is None or certificate.problem.bias)
    tight = certificate is not None and certificate.relative_gap < 1e-3
    touching = "An optimal classifier uses only neurons that get it: the stars touch the level."
    pays = _PAYS + (touching if tight else "The bracket is still open: the stars need not touch the level yet.")
    pays += _BAND if D == 3 else ""
    pays += " Random directions, the textbook discretisation, are shown for comparison." if D > 3 else ""
    return {
        "decision_map": ("Solved above, trained below.", _DECISION.get(d, _PLANE) + _SUPPORT),
        "margin_curve": ("The margin climbs towards a proved line.", _CURVE),
        "neurons": ("Where the neurons went.", _NEURONS.get(D, _SHADOWS)),
        "dual_potential": ("Why no neuron can do better.", pays),
    }.get(name, (name.replace("_", " ").capitalize() + ".", ""))
