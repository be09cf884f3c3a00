"""Proved upper bounds in any dimension: the lifted relaxation, its repair to a proof, and branching."""
