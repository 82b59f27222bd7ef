"""Linting and confirming on a cluster of dask.distributed: ``--cluster tcp://scheduler:8786``.

Sources travel, so that no file system is shared: the Python files of a project go to the workers once, and stand there
for the files that imports are looked for in. A worker that dies takes nothing with it: dask gives its work to others,
and a file that has killed several is looked at alone once more before it becomes an LL004.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import cache
from pathlib import Path
from typing import Any

from losslint import __version__, dependencies
from losslint.confirm.jobs import Limits, Outcome
from losslint.discovery import SUFFIXES, Target
from losslint.executor import AHEAD, NoCluster, chunked, mapped
from losslint.frontend.project import MAX_LEVELS, ROOT_MARKS, Project
from losslint.report import Report
from losslint.settings import DEFAULT_EXCLUDE

_WAIT = 30  # seconds for the scheduler to answer
_RETRIES = 3  # how often work is done again whose worker has died

Tree = dict[str, bytes]
Job = tuple[Target, tuple[dependencies.Requirement, ...]]


def connected(address: str) -> Any:
    """A client of the scheduler at ``address``. Raises NoCluster."""
    try:
        from distributed import Client
    except ImportError:
        raise NoCluster(
            "--cluster needs dask.distributed, which is not installed: pip install 'losslint[cluster]'"
        ) from None
    try:
        client: Any = Client(address, timeout=_WAIT, set_as_default=False)
    except (OSError, ValueError) as error:
        why = f"{str(error) or type(error).__name__}; start one with: dask scheduler"
        raise NoCluster(f"no scheduler answers at {address}: {why}") from None
    try:
        told = client.run(_version)
    except Exception as error:
        client.close()
        raise NoCluster(f"the workers of {address} cannot import losslint: {error}; install it there") from None
    if not told:
        client.close()
        raise NoCluster(f"the scheduler at {address} has no workers; start some with: dask worker {address}")
    if set(told.values()) != {__version__}:
        client.close()
        has = ", ".join(sorted(set(told.values())))
        raise NoCluster(f"the workers of {address} have losslint {has}, not {__version__}: install the same")
    return client


def _version() -> str:
    return __version__


# -- linting ---------------------------------------------------------------------------------------------------------


def reports(targets: list[Target], address: str) -> Iterator[Report]:
    """The reports of the cluster on ``targets``, each once, in their order. Raises NoCluster."""
    client = connected(address)
    try:
        executor = client.get_executor(pure=False, retries=_RETRIES)
        workers = max(len(client.nthreads()), 1)
        for root, files in _by_root(targets).items():
            tree = _tree(root, files)
            yield from _reports(client, executor, tree, files, workers)
    finally:
        client.close()


def _reports(client: Any, executor: Executor, tree: Tree, targets: list[Target], workers: int) -> Iterator[Report]:
    from losslint.session import failure

    sent = client.scatter(tree, broadcast=True, hash=False)  # to all: it is still there when one dies
    chunks = chunked(targets, workers)
    here = os.getcwd()
    calls = [(sent, here, [(t, dependencies.declared(t.path.parent)) for t in chunk]) for chunk in chunks]
    for chunk, made in zip(chunks, mapped(executor, report_remote, calls, AHEAD * workers), strict=True):
        if isinstance(made, list):
            yield from made
            continue
        for target in chunk:  # one of them has killed its worker, or all that had the tree have died
            try:
                alone = [(target, dependencies.declared(target.path.parent))]
                yield client.submit(report_remote, tree, here, alone, pure=False, retries=_RETRIES).result()[0]
            except Exception as error:
                found = failure(
                    target.filename, "<module>", 1, f"the workers that looked at it died ({type(error).__name__})"
                )
                yield Report(target, [found], whole=False)


def report_remote(tree: Tree, here: str, jobs: list[Job]) -> list[Report]:
    """What a worker does: the reports on some files of ``tree``; the second of a job is what its project requires.

    ``here`` is the folder that the names of files are relative to.
    """
    from losslint import collector
    from losslint.session import Analyst

    analyst = Analyst(Project(tree=tree, here=here))
    with collector.patient():
        made = []
        for target, required in jobs:
            dependencies.tell(target.path.parent, required)
            made.append(analyst.report(target, tree.get(str(target.path))))
        return made


def _by_root(targets: list[Target]) -> dict[str, list[Target]]:
    """Project -> its files: imports are looked for up to its folder."""
    found: dict[str, list[Target]] = {}
    for target in targets:
        found.setdefault(_root(str(target.path.parent)), []).append(target)
    return found


@cache
def _root(folder: str) -> str:
    at = Path(folder)
    for _ in range(MAX_LEVELS):
        if any((at / mark).exists() for mark in ROOT_MARKS):
            return str(at)
        at = at.parent
    return folder


def _tree(root: str, targets: list[Target]) -> Tree:
    """The Python files of a project, those of environments and builds left out, and what marks its folders."""
    found: Tree = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in DEFAULT_EXCLUDE]
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(SUFFIXES) or name in ROOT_MARKS:
                _add(found, path, mark=not name.endswith(SUFFIXES))
        if os.path.exists(os.path.join(folder, ".git")):
            found[os.path.join(folder, ".git")] = b""
    for target in targets:
        _add(found, str(target.path))
    return found


def _add(tree: Tree, path: str, mark: bool = False) -> None:
    """Put the file at ``path`` into ``tree``, one that is only a mark without what it holds."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        tree[path] = b"" if mark else file.read()


# -- confirming ------------------------------------------------------------------------------------------------------


class RemotePool:
    """A ``Pool`` whose losses run on the workers of a cluster; those with the resource GPU, where some declare it."""

    def __init__(self, client: Any, device: str, keras: str, limits: Limits) -> None:
        self._client, self._settings = client, (device, keras, limits)
        declared = (w.get("resources", {}) for w in client.scheduler_info()["workers"].values())
        has_gpus = any("GPU" in resources for resources in declared)
        self._options = {"resources": {"GPU": 1}} if has_gpus and device != "cpu" else {}
        self.versions: dict[str, str] = {}

    def run(self, job: dict[str, Any]) -> Outcome:
        """Run ``job`` to its end, whatever that is. May be called from several threads."""
        future = self._client.submit(run_remote, *self._settings, job, pure=False, retries=_RETRIES, **self._options)
        try:
            outcome, self.versions = future.result()
        except Exception as error:  # whatever became of the workers
            return Outcome("crash", detail=f"the workers that ran it died: {type(error).__name__}")
        return outcome  # type: ignore[no-any-return]

    def close(self) -> None:
        """The pools of the workers serve others, and end with the workers."""


def run_remote(device: str, keras: str, limits: Limits, job: dict[str, Any]) -> tuple[Outcome, dict[str, str]]:
    """What a worker does: run one loss in a process of its own, and say with which versions."""
    pool = _pool(device, keras, limits)
    return pool.run(job), dict(pool.versions)


@cache
def _pool(device: str, keras: str, limits: Limits) -> Any:
    from losslint.confirm.pool import Pool, resolve_device

    return Pool(device=resolve_device(device), keras=keras, limits=limits)
