"""The two ways in which a call can fail: the input was wrong, or a solver was."""

import re

_SCALAR = re.compile(r"\bnp\.(?:u?int|float|str|bool|longdouble)\w*\(([^()]*)\)")


class InputError(ValueError):
    """Bad input, told in one sentence: which argument, what was found, what is wanted, what to do.

    NumPy's scalars are written as plain values: ``np.int64(0)`` as 0. The command line prints the sentence
    on standard error and exits with status 2.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(_SCALAR.sub(r"\1", sentence))


class SolverError(RuntimeError):
    """A solver returned nothing from which a certificate could be computed."""
