"""Best responses on the sphere: the neuron with the largest payoff, and proofs that no neuron has a larger one.

in  : Z (n, D), a feature, then weights q = p y (n,) of any sign, in the path convention.
out : `Responses`: neurons, payoffs, a proved bound on all payoffs (inf if none), its scope, its stored proof.
may import : features, rounding, conventions, clock; nothing above.
files : `oracle` the contract, and finitely many neurons; `selection` the choice of an oracle; `proofs` reading
stored proofs; `span` proofs for other points or coordinates; `spectral` a cheap bound in any dimension;
`enumeration/` exact, `ascent/` local, `lifted/` tight bounds.
"""
