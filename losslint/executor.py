"""Spreads the analysis of files over processes: written against ``concurrent.futures.Executor``.

Reports come back in the order of the files, a few at a time: nobody waits for the last file, or holds all of them.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from losslint.discovery import Target
from losslint.report import Report

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from losslint.session import Analyst

_T = TypeVar("_T")
_WORTH_A_POOL = 24  # files; below that, starting processes costs more than it saves
_CHUNK = 16  # files that a worker is given at a time, at most
AHEAD = 4  # chunks that wait for each worker: enough that none is idle, few enough that memory stays flat

_analyst: Analyst | None = None  # of a worker process


class NoCluster(Exception):
    """The cluster cannot be used; the message names the way out."""


def reports(targets: list[Target], jobs: int, cluster: str = "") -> Iterator[Report]:
    """The reports on ``targets``, made by ``jobs`` processes, 0 for as many as are worth it, or by a ``cluster``."""
    if cluster:
        from losslint import cluster as remote

        return remote.reports(targets, cluster)
    processes = min(jobs or os.cpu_count() or 1, max(len(targets), 1))
    if processes == 1 or (not jobs and len(targets) < _WORTH_A_POOL):
        return _here(targets)
    return _spread(targets, processes)


def _here(targets: list[Target]) -> Iterator[Report]:
    from losslint import collector
    from losslint.session import Analyst

    analyst = Analyst()
    with collector.patient():
        for target in targets:
            yield analyst.report(target)


def report_chunk(targets: list[Target]) -> list[Report]:
    """What a worker does; it keeps the modules that it has read."""
    from losslint import collector
    from losslint.session import Analyst

    global _analyst
    _analyst = _analyst or Analyst()
    with collector.patient():
        return [_analyst.report(target) for target in targets]


def _spread(targets: list[Target], processes: int) -> Iterator[Report]:
    """The reports of ``processes`` workers. A file that kills its worker becomes an LL004, others are done again."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    chunks = chunked(targets, processes)
    done = 0
    try:
        with ProcessPoolExecutor(processes, initializer=_end_with_parent) as pool:
            for made in mapped(pool, report_chunk, [(chunk,) for chunk in chunks], processes * AHEAD):
                if isinstance(made, BaseException):
                    raise made
                done += 1
                yield from made
    except BrokenProcessPool:
        for target in (t for chunk in chunks[done:] for t in chunk):
            yield _alone(target)


def chunked(targets: list[Target], workers: int) -> list[list[Target]]:
    """``targets`` in the pieces that workers are given: several for each, so that they end at about the same time."""
    size = max(1, min(_CHUNK, len(targets) // (4 * workers)))
    return [targets[i : i + size] for i in range(0, len(targets), size)]


def _end_with_parent() -> None:
    """End this worker when the process that started it is gone: one that is killed tells nobody."""
    import threading
    from multiprocessing import connection, parent_process

    parent = parent_process()

    def watch() -> None:
        connection.wait([parent.sentinel] if parent is not None else [])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def mapped(
    executor: Executor, function: Callable[..., _T], calls: Iterable[tuple[Any, ...]], ahead: int
) -> Iterator[_T | Exception]:
    """What ``function`` returns, or raises, for each of ``calls``, in order; no more than ``ahead`` are under way."""
    waiting: deque[Future[_T]] = deque()
    for call in calls:
        waiting.append(executor.submit(function, *call))
        if len(waiting) >= ahead:
            yield _outcome(waiting.popleft())
    while waiting:
        yield _outcome(waiting.popleft())


def _outcome(future: Future[Any]) -> Any:
    from concurrent.futures import CancelledError

    try:
        return future.result()
    except (Exception, CancelledError) as error:
        return error


def _alone(target: Target) -> Report:
    """The report of a process that has nothing else to lose."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    from losslint.session import failure

    try:
        with ProcessPoolExecutor(1, initializer=_end_with_parent) as pool:
            return pool.submit(report_chunk, [target]).result()[0]
    except BrokenProcessPool:
        found = failure(target.filename, "<module>", 1, "the process that looked at it died")
        return Report(target, [found], whole=False)
