"""Compiled solvers and Ctrl-C: some ignore it until they finish, SCS and OSQP replace its handler."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

_LOOK = 0.02  # seconds between two polls


def in_background(work: Callable[[], Result]) -> Result:
    """Do `work` in a thread of its own, so that Ctrl-C reaches the caller at once, as `KeyboardInterrupt`.

    Work that is interrupted is abandoned: it ends by itself, or with the process. Outside of the main thread, which
    no signal reaches, `work` is simply done.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    handler = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_LOOK)
        if handler is not None:
            signal.signal(signal.SIGINT, handler)  # restore our handler after a solver has installed its own
    if errors:
        raise errors[0]
    return results[0]
