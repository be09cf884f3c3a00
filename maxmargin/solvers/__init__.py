"""Proposers: methods that find a pair (learner, adversary) for a game to certify.

in  : the arrays of a game (Z, y, feature or K), an oracle, tolerances and a clock.
out : a proposal; nothing that it says of itself is believed, a game recomputes both ends.
may import : games (for measures and units), oracles, features; never `flow`, never `margins`.
files : F1 `search`, `column_generation`, `master`, `lp_refinement`, `working_set`; kernels `min_norm_*`,
`affine_hull`, `soft_margin`, `random_features`; paths `regularised*`; real targets `interpolation`; CVXPY `conic`;
`linear` classifiers in three balls; `lasso`.
"""
