"""Independent derivations of the F1 margin: slow, readable, for small data; tests compare the oracles with them.

in  : inputs Z (n, D), labels y and a feature.
out : `patterns.pattern_margin`, a bracket from the activation patterns of a feature of degree 1; and
      `lifted_program.lifted_program`, the lifted relaxation as an unsolved CVXPY problem.
Nothing that computes a margin imports this package.
"""
