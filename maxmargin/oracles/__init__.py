"""Best responses on the sphere: the neuron that an adversary's weights like best, and proofs that none is better.

in  : Z (n, D), a feature, then weights q = p y (n,) of any sign, in the path convention.
out : `Responses`: neurons, payoffs, a proved bound on all payoffs (inf if none), its scope, its stored proof.
may import : features, rounding, conventions, clock; nothing above.
files : `oracle` the contract, `selection` which one answers, `proofs` reading stored ones, `spectral` a cheap bound in
any dimension, `dictionary` finitely many neurons; `enumeration/` exact, `ascent/` local, `lifted/` tight bounds.
"""
