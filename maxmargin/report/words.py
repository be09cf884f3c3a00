"""The sentences of the report, written from the numbers that they are about."""

from __future__ import annotations

import shlex
from html import escape
from typing import Any

from ..plots.numbers import percent
from .tables import bracket, minus

_GAMMA1, _GAMMA2 = "\u03b3<sub>1</sub>", "\u03b3<sub>2</sub>"


def head(comparison: Any) -> str:
    """Title, the answer in one or two sentences, and the facts of the problem."""
    data = comparison.dataset
    facts = [("points", data.n), ("features, standardised" if data.standardized else "features", data.d)]
    if data.label is not None:
        facts.append(("label column", data.label))
    for label, name in ((1.0, data.classes[1]), (-1.0, data.classes[0])):
        sign, shown = "+1" if label > 0 else "\u22121", minus(name)
        own = "" if shown == sign.lstrip("+") else f" ({sign})"
        facts.append((f"class {shown}{own}", int((data.y == label).sum())))
    problem = next((certificate.problem for certificate in comparison.margins.values()), None)
    if problem is not None:
        facts += [("activation", problem.feature.name), ("bias", "z = (x, 1)" if problem.bias else "none: z = x")]
        facts.append(("convention", problem.convention))
    facts.append(("seconds", f"{comparison.seconds:.1f}"))
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in data.notes)
    items = "".join(f"<li><b>{escape(str(value))}</b><span>{escape(name)}</span></li>" for name, value in facts)
    kicker = '<p class="kicker">maxmargin: certified max margins beside trained flows</p>'
    title = f'<h1>{escape(str(data.name))}</h1><p class="lead">{answer(comparison)}</p>'
    return f'<header>{kicker}{title}<ul class="facts">{items}</ul>{notes}</header>'


def answer(comparison: Any) -> str:
    """What was found, in sentences a reader may quote."""
    sentences = [_solved(comparison.margins["f1"])] if "f1" in comparison.margins else []
    for item in comparison.runs:
        if item.fraction_of_lower is not None:
            sentences.append(_trained(item))
    return " ".join(sentences)


def _solved(certificate: Any) -> str:
    ball = f"wide two-layer network of {'path' if certificate.problem.convention == 'path' else 'F1'} norm one"
    if certificate.status.value == "not-separable":
        return f"No {ball} separates these classes: the margin is 0, and the adversary's weights below prove it."
    interval = f"<strong>{bracket(certificate.lower, certificate.upper)}</strong>"
    if certificate.scope == "dictionary":
        return (
            f"Over the given directions, the best margin of a {ball} is {interval}: proved for these directions only."
        )
    if certificate.status.value == "certified":
        return f"The best margin of any {ball} is {interval}, and that none does better is proved."
    return f"The best margin of any {ball} lies in {interval}: both ends are proved, and the truth is between them."


def _trained(item: Any) -> str:
    if item.run.margin_best <= 0:
        layers = "both layers" if item.reference == "f1" else "only the output layer"
        return (
            f"Training {layers} of {item.run.width} neurons did not separate the classes in {item.run.steps} steps: "
            "a longer run or a larger network may."
        )
    low, high = percent(item.fraction_of_upper), percent(item.fraction_of_lower)
    reached = f"<strong>{high}</strong>" if low == high else f"<strong>{low} to {high}</strong>"
    if item.reference == "f1":
        return f"Training both layers of {item.run.width} neurons by gradient flow reached {reached} of it."
    return (
        f"Training only the output layer heads for another classifier, the max margin over its {item.run.width} fixed "
        f"random features, and reached {reached} of that."
    )


def asked(comparison: Any) -> str:
    """The question, in plain words."""
    name = escape(str(comparison.dataset.name))
    return (
        f"<p>Two classifiers of the same data, <i>{name}</i>, as limits of the same network. If both layers of a "
        "wide two-layer network are trained on an exponentially tailed loss, its normalised limit is predicted to "
        f"be the classifier of largest margin in the variation norm F1, {_GAMMA1}: a few neurons, chosen by the "
        f"data. If only the output layer is trained, the limit is the max margin in the kernel norm F2, {_GAMMA2}: "
        "all neurons, a little of each (Chizat and Bach, COLT 2020).</p><p>Both limits are values of convex "
        "problems. Here they are solved directly and enclosed between proved ends; the networks are trained beside "
        "them, and everything is measured in one norm per row.</p>"
    )


def caption(comparison: Any, name: str) -> tuple[str, str]:
    """(title, what to see) of a figure; unknown names get their name."""
    d = comparison.dataset.d
    certificate = comparison.margins.get("f1")
    D = d + (certificate is None or certificate.problem.bias)
    captions = {
        "decision_map": ("Solved above, trained below.", _decision_caption(d)),
        "margin_curve": (
            "The margin climbs towards a proved line.",
            "Thick: the best margin so far; thin: recorded iterates. The dashed lines are the two ends of the proved "
            "bracket (one line where they agree); the curve cannot cross the upper one. Both-layer margins are "
            "divided by the F1 norm, output-layer margins by the L2 norm over that network's own random features, so "
            "each panel has its own reference.",
        ),
        "neurons": ("Where the neurons went.", _neurons_caption(D)),
        "dual_potential": (
            "Why no neuron can do better.",
            _potential_caption(D, certificate is not None and certificate.relative_gap < 1e-3),
        ),
    }
    return captions.get(name, (name.replace("_", " ").capitalize() + ".", ""))


def _decision_caption(d: int) -> str:
    support = (
        "Rings mark the points that the adversary weights (trained panels: the points within 10 % of the network's "
        "margin). If the theory holds at this width and time, the lower panels look like those above them."
    )
    if d == 1:
        return (
            "Each f is divided by its own margin, so it has to pass every point's triangle at height +1 or \u22121 "
            "on the side the "
            "triangle points to. F1 bends at few places, F2 everywhere. " + support
        )
    if d == 2:
        return (
            "Colour: f(x) in units of its own margin; solid: the decision boundary; dashed: f = \u00b1margin, which "
            "no point may "
            "enter. F1 draws straight pieces from few neurons, F2 smooth curves. " + support
        )
    return (
        "The plane is the one that the F1 classifier's neurons look at most; its axes name the features they "
        "combine. Colour: f averaged over the other coordinates of the data, so a point may lie on the wrong side "
        "here and on the right one in full "
        "space. " + support
    )


def _neurons_caption(D: int) -> str:
    stars = (
        "Each dot is the direction of a trained neuron, its area the share of the network's mass, its colour the class "
        "it votes for; stars are the atoms of the F1 max-margin classifier. The closer the margin is to its limit, the "
        "more of the mass sits at stars; specks elsewhere are neurons that were left behind and carry almost nothing."
    )
    if D == 2:
        return f"The circle holds every possible neuron. {stars}"
    if D == 3:
        return (
            f"The two discs hold every possible neuron (equal-area maps of the half spheres). {stars} The thin lines "
            "are the places where a neuron's kink passes through a support point."
        )
    return (
        f"Shadows of the unit sphere on the plane that the atoms span best (rim: directions inside this plane). {stars}"
    )


def _potential_caption(D: int, tight: bool) -> str:
    law = (
        "The adversary puts weight p on the points; a neuron is paid the correlation of its output with the weighted "
        "labels. The proved upper end of the margin is at least the largest payment that any neuron gets."
    )
    if tight:
        law += " An optimal classifier uses only neurons that get it: the stars touch the level."
    else:
        law += " The bracket is still open: the stars need not touch the level yet."
    if D == 3:
        return law + " Contours at 50, 80 and 95 % of the level."
    if D > 3:
        return law + " Random directions, the textbook discretisation, are shown for comparison."
    return law


def proofs(comparison: Any) -> str:
    """One paragraph for each way in which a number is proved, only those that occur."""
    scopes = {certificate.scope for certificate in comparison.margins.values()}
    parts = [("Lower ends: a classifier in hand", _LOWER), ("Upper ends: an adversary in hand", _UPPER)]
    parts += [(title, text) for scope, (title, text) in _SCOPES.items() if scope in scopes]
    if any(certificate.status.value == "not-separable" for certificate in comparison.margins.values()):
        parts.append(("not separable", _NOT_SEPARABLE))
    if comparison.runs:
        parts.append(("Trained margins", _TRAINED))
    return "".join(f"<h3>{title}</h3><p>{text}</p>" for title, text in parts)


_LOWER = (
    "Every lower end is the margin of an explicit classifier f of norm at most one: <i>min<sub>i</sub> y<sub>i</sub> "
    "f(x<sub>i</sub>)</i>, recomputed from its neurons (F1) or its coefficients (F2, tangent kernel), divided by its "
    "norm, and rounded down by a rigorous bound on the rounding error. No solver's word is taken for it."
)
_UPPER = (
    "Every upper end comes from weights p on the points (p \u2265 0, sum one). The smallest of the numbers "
    "y<sub>i</sub> f(x<sub>i</sub>) is at most their p-average, so no f in the unit ball has a larger margin than "
    "the best average, <i>max<sub>f</sub> \u03a3 p<sub>i</sub> y<sub>i</sub> f(x<sub>i</sub>)</i>. That maximum is "
    "recomputed and rounded up. Where the two ends meet, both f and p are optimal."
)
_SCOPES = {
    "sphere-exact": (
        "sphere-exact: all neurons, and the maximum itself",
        "The average is linear in the measure of neurons, so its maximum over the F1 ball sits at one neuron. As a "
        "function of the neuron's direction it is piecewise of one simple form on the cells that the points cut out "
        "of the sphere; the maximum over all cells is found by enumeration, so no direction is missed.",
    ),
    "sphere-bound": (
        "sphere-bound: all neurons, a bound that need not be tight",
        "In high dimension the cells are too many to enumerate. A convex relaxation bounds the payment of every "
        "neuron at once; its approximate dual solution is repaired until it proves a bound in exact terms, and the "
        "repaired multipliers are stored with the certificate. The true margin may be below the upper end, never "
        "above it.",
    ),
    "dictionary": (
        "dictionary: the given neurons only",
        "The maximum is taken over the given directions. Neurons outside the list may do better: nothing is claimed "
        "about them.",
    ),
    "kernel": (
        "kernel: the whole unit ball",
        "In a kernel space the best answer to p is known in closed form: its payment is <i>\u221a(p\u1d40 Y K Y "
        "p)</i> with K the kernel of the infinitely wide network. There is no intercept: the bias is inside the "
        "neurons.",
    ),
}
_NOT_SEPARABLE = (
    "Some weights p on the points leave every neuron without gain; then every f in the ball has a p-average of zero, "
    "and none classifies all points with positive margin."
)
_TRAINED = (
    "A trained margin is a fact about one network, measured at the iterate named. It is a lower bound for its "
    "reference by the first paragraph, so it cannot exceed the upper end; that it comes close is what the theory "
    "predicts for wide networks and long times, and what the percentage tests."
)


def repeat(comparison: Any) -> str:
    """The commands that repeat the comparison and check its certificates without a solver."""
    command = comparison.command
    data = getattr(comparison, "source", shlex.quote(str(comparison.dataset.name)))
    lines = []
    for name, certificate in comparison.margins.items():
        flags = _flags(certificate.problem)
        lines.append(f"maxmargin margin {data} --norm {name}{flags} --json {name}.json")
        lines.append(f"maxmargin check {name}.json {data}")
    checks = f"<pre><code>{escape(chr(10).join(lines))}</code></pre>" if lines else ""
    return (
        f"<p>This report, again:</p><pre><code>{escape(command)}</code></pre><p>A certificate is a small JSON file "
        "that holds the classifier and the adversary. The checker verifies both ends from scratch, in exact or "
        f"interval arithmetic and without any solver; it exits with status 1 if one does not hold.</p>{checks}"
    )


def _flags(problem: Any) -> str:
    flags = "" if problem.bias else " --no-bias"
    if problem.feature.name != "relu":
        flags += f" --feature {problem.feature.name}"
    if problem.convention != "sphere":
        flags += f" --convention {problem.convention}"
    return flags + (" --weights gaussian" if problem.weights == "gaussian" else "")
