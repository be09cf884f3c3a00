"""The paper's experiments as resumable sweeps: pure tasks, one SQLite file of their results, tables from it alone."""

from .runner import run
from .store import Store, Task

__all__ = ["Store", "Task", "run"]
