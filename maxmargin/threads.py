"""Number of BLAS threads: on small matrices one thread is faster than several, and much faster on a busy machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# Entries of a matrix (rows times columns) below which one thread is as fast as several.
SMALL = 1_000_000


@contextmanager
def one_thread_if_small(entries: int) -> Iterator[None]:
    """Within this context, products of matrices with so many `entries` run on one BLAS thread if they are small."""
    if entries > SMALL:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
