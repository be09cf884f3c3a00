"""``maxmargin doctor``: versions, solvers and arithmetic."""

from __future__ import annotations

import argparse

from . import common

HELP = "versions, solvers and BLAS threads"
EXAMPLE = "maxmargin doctor"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    common.add_report(parser, "as JSON", "print nothing")


def run(arguments: argparse.Namespace) -> int:
    """Print versions, arithmetic and solvers of this machine."""
    import os

    import cvxpy
    import numpy as np  # loads the BLAS whose threads are reported
    from threadpoolctl import threadpool_info

    from ..margins.prove import library_versions

    common.check_writable(arguments.json)
    blas = [
        {"library": pool["internal_api"], "version": pool["version"], "threads": pool["num_threads"]}
        for pool in threadpool_info()
    ]
    document = {
        "versions": library_versions(),
        "solvers": cvxpy.installed_solvers(),
        "blas": blas,
        "cores": os.cpu_count(),
        "long_double_bits": np.finfo(np.longdouble).nmant + 1,
    }

    def text() -> str:
        lines = [f"{name:14}{version}" for name, version in document["versions"].items()]
        lines += [f"{'solvers':14}{', '.join(document['solvers'])}"]
        lines += [
            f"{'threads':14}{pool['library']} {pool['version']}: {pool['threads']} of {document['cores']} cores"
            for pool in blas
        ]
        lines += [f"{'long double':14}{_precision(document['long_double_bits'])}"]
        return "\n".join(lines)

    common.deliver(arguments, lambda: document, text)
    return 0


def _precision(bits: int) -> str:
    """The arithmetic of brackets where doubles lose digits."""
    if bits > 53:
        return f"{bits} bits: extended precision"
    return f"{bits} bits: no extended precision; brackets hold, those of F1 are wider on badly scaled data"
