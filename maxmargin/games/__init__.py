"""The zero-sum games between a learner in a ball and weights on the points, and what they prove of a pair.

in  : data (Z, y), a feature, an oracle (F1) or a Gram matrix (kernels); a pair (learner, p) from anybody.
out : a `Bracket`, every rounding included, with the proof of its upper end; `Certificate` is its document.
may import : oracles, features, conventions, rounding; never a solver or a trainer.
files : `game` the contract and the bracket; `variation` F1; `rkhs`, `random_features` kernels; `exact` both without
rounding; `soft` a capped adversary; `interpolation` minimum norms; `measure` the F1 learner; `opposed_points` when a
margin can vanish; `linear` classifiers in the balls of l1, l2 and a Fourier norm.
"""
