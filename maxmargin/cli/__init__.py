"""The command line: ``maxmargin`` and ``python -m maxmargin``.

Exit status: 0 an answer was produced; 1 the answer is "no" (check, verify); 2 bad input or usage, told in one line;
130 interrupted, what was finished is kept.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from ..errors import InputError, SolverError
from .keyboard import INTERRUPTED, watched


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        with watched() as keyboard:
            from .parser import build_parser  # imports NumPy; Ctrl-C is handled from here on

            arguments = build_parser().parse_args(argv)
            arguments.keyboard = keyboard
            status = int(arguments.run(arguments))
            _flush()
        return INTERRUPTED if keyboard.pressed else status
    except (InputError, SolverError) as error:
        return _fail(str(error))
    except MemoryError as error:
        return _fail(f"not enough memory ({error}); use fewer points, neurons or directions")
    except KeyboardInterrupt:
        print("maxmargin: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) has closed the pipe: print nothing
        _silence()
        return 0
    except OSError as error:
        _silence()
        place = f"{error.filename!r}: " if error.filename else "output: "
        return _fail(f"{place}{error.strerror or error}; name another place, or make room")


def _flush() -> None:
    """Flush the output, so that a full disk or a closed pipe raises an error here and not at exit."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _silence() -> None:
    """Discard standard output from here on, buffered text included."""
    with suppress(OSError, ValueError, AttributeError):  # no stream, or one without a file descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(sentence: str) -> int:
    print("maxmargin: " + " ".join(sentence.split()), file=sys.stderr)
    return 2
