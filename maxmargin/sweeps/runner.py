"""Run the tasks that a store does not have yet: here, on several processes, or on a dask cluster."""

from __future__ import annotations

import signal
import threading
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import InputError
from ..progress import Progress, silent
from .store import Store, Task

Done = tuple[Task, dict[str, Any], float]

_CONNECT = 10.0  # seconds to reach a dask scheduler


def run(
    tasks: Iterable[Task], store: Store, jobs: int = 1, dask: str | None = None, progress: Progress = silent
) -> int:
    """Execute the tasks that are not in the store, and add each result as it arrives.

    Only this process writes to the store. Added results stay after any interruption; the next
    call continues from them.

    Parameters
    ----------
    jobs : processes, one BLAS thread each; -1 for one per core.
    dask : address of a dask scheduler ("tcp://host:8786") whose workers do the work instead.
    progress : called with what is done and the time left.

    Returns
    -------
    int : tasks executed.

    Raises
    ------
    InputError : no such number of jobs; the cluster cannot be reached or dask is not installed; a task's own refusal.
    """
    if jobs != -1 and jobs < 1:
        raise InputError(f"jobs: found {jobs!r}, wanted a number of processes, or -1 for one per core")
    finished, start = store.keys(), time.monotonic()
    todo = list({task.key: task for task in tasks if task.key not in finished}.values())
    for count, (task, result, seconds) in enumerate(_results(todo, jobs, dask), 1):
        store.add(task, result, seconds)
        left = (time.monotonic() - start) / count * (len(todo) - count)
        progress(f"{count} of {len(todo)} runs  {_duration(left)} left  (last: {task.work}, {seconds:.1f} s)")
    return len(todo)


def _results(todo: Sequence[Task], jobs: int, dask: str | None) -> Iterator[Done]:
    """Results in the order in which they are finished."""
    if not todo:
        return
    if jobs == 1 and dask is None:
        yield from map(execute, todo)
        return
    from joblib import Parallel, delayed, parallel_config

    with warnings.catch_warnings(), _cluster(dask) if dask else parallel_config("loky", inner_max_num_threads=1):
        # joblib's advice after an early stop; Ctrl-C is not a mistake
        warnings.filterwarnings("ignore", ".*tasks? which w.*", UserWarning)
        parallel = Parallel(n_jobs=-1 if dask else jobs, return_as="generator_unordered")
        yield from parallel(delayed(execute)(task) for task in todo)


def execute(task: Task) -> Done:
    """The task with its result and its seconds, on one BLAS thread: sums do not depend on the machine's cores."""
    from threadpoolctl import threadpool_limits

    from .works import WORKS

    start = time.perf_counter()
    with threadpool_limits(1), _whole():
        result = WORKS[task.work](**task.parameters)
    return task, result, time.perf_counter() - start


@contextmanager
def _whole() -> Iterator[None]:
    """Ctrl-C during the work ends it as `KeyboardInterrupt` even if the work itself would not.

    After Ctrl-C, solvers and flows return what they have so far; that is not the result of the task.
    """
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = False

    def press(number: int, frame: Any) -> None:
        nonlocal pressed
        pressed = True
        before(number, frame)

    signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is press:  # else the former handler has put another one in place
            signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    """joblib on the workers of a dask scheduler."""
    from joblib import parallel_config

    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("dask: distributed is not installed; pip install 'maxmargin[dask]'") from error
    try:
        client = Client(address, timeout=_CONNECT)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error) or type(error).__name__
        raise InputError(
            f"dask: no scheduler answers at {address!r} ({reason}); wanted an address such as tcp://host:8786"
        ) from error
    with client, parallel_config("dask"):
        yield


def _duration(seconds: float) -> str:
    """``2 h 05 min``, ``3 min 20 s`` or ``12 s``."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
