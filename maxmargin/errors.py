"""The two ways in which a call can fail: the input was wrong, or a solver was."""


class InputError(ValueError):
    """Bad input, told in one sentence: which argument, what was found, what is wanted, what to do.

    The command line prints the sentence on standard error and exits with status 2.
    """


class SolverError(RuntimeError):
    """A solver returned nothing from which a certificate could be computed."""
