"""The process that starts the jobs, watches them, and ends those that exceed a limit.

It imports TensorFlow, once, and executes nothing with it: after one eager operation a forked child would hang. Each job
runs in a child forked from it. On a GPU, which does not survive a fork, it imports nothing; it has one *resident*
worker that imports TensorFlow and runs job after job, until one of them brings it down.

It has a single thread, and serves until the process that started it is gone.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import glob
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from losslint.confirm import ends, sandbox, watch, wire, worker
from losslint.confirm.jobs import LARGEST, STARTUP, Limits
from losslint.confirm.sandbox import Sandbox

TICK = 0.025  # seconds between two looks at what the jobs use


@dataclass(frozen=True, slots=True)
class Settings:
    """What the process that starts it tells it."""

    folder: str
    limits: Limits
    runner: str
    device: str
    preload: bool  # TensorFlow; otherwise each job imports what it needs
    resident: bool
    without: list[str]  # mechanisms of the sandbox that are not to be used

    @staticmethod
    def from_json(data: dict[str, Any]) -> Settings:
        """The settings that ``dataclasses.asdict`` made plain."""
        return Settings(**(data | {"limits": Limits(**data["limits"])}))


@dataclass(slots=True)
class _Task:
    number: int
    job: dict[str, Any]
    again: bool = False  # a resident worker was brought down by it before


@dataclass(slots=True, eq=False)
class _Worker:
    """A process that runs jobs, as seen from here."""

    pid: int
    first: int  # the first process of its pid namespace, or 0
    folder: str
    results: int
    output: int
    requests: int  # where a resident worker reads its jobs, or -1
    task: _Task | None = None
    fresh: bool = True  # it has run no job before this one
    ready: bool = True
    frames: wire.Frames = field(default_factory=wire.Frames)
    tail: bytearray = field(default_factory=bytearray)
    written: int = 0
    started: float = 0.0
    base: int = 0  # its memory when the job began

    @property
    def busy(self) -> bool:
        """Whether there is something to watch."""
        return self.task is not None or not self.ready


class Zygote:
    """Serves requests that come over ``parent``."""

    def __init__(self, settings: Settings, parent: socket.socket, jail: Sandbox) -> None:
        self.settings = settings
        self.jail = jail
        self._parent = parent
        self._requests = wire.Frames()
        self._selector = selectors.DefaultSelector()
        self._selector.register(parent, selectors.EVENT_READ, self._hear)
        self._waiting: deque[_Task] = deque()  # for the resident worker
        self._workers: list[_Worker] = []
        self._dying: set[int] = set()

    def serve(self) -> None:
        """Start, say so, and serve until the parent is gone."""
        told = self.settings
        if told.resident:
            self._launch(None)
        else:
            self._tell(hello=self._hello(worker.preload(told.device, told.runner) if told.preload else {}))
        gc.collect()
        gc.freeze()  # a collection in a child would copy every page it looks at
        pause = TICK
        with contextlib.suppress(ConnectionError):
            while True:
                idle = not self._dying and not any(w.busy for w in self._workers)
                for key, _ in self._selector.select(None if idle else pause):
                    if self._selector.get_map().get(key.fileobj) is key:  # what came before it may have closed it
                        key.data()
                began = time.perf_counter()
                self._look()
                pause = max(TICK, 10 * (time.perf_counter() - began))

    def end(self) -> None:
        """End all workers."""
        for one in list(self._workers):
            self._dismiss(one)
        self._sweep(watch.parents())

    # -- the parent --------------------------------------------------------------------------------------------------

    def _hello(self, versions: dict[str, str]) -> dict[str, Any]:
        seen = f"resident memory watched every {TICK * 1000:.0f} ms, SIGKILL"
        enforced = {
            "time": "wall clock, SIGKILL",
            "memory": seen,
            "output": "counted as it is read",
            "environment": "allow-list",
            "stdin": "/dev/null",
        }
        return {"enforced": enforced | self.jail.enforced(), "versions": versions}

    def _tell(self, **message: Any) -> None:
        self._parent.sendall(wire.frame(message))

    def _hear(self) -> None:
        data = self._parent.recv(1 << 16)
        if not data:
            raise ConnectionResetError("the parent is gone")
        for request in map(json.loads, self._requests.feed(data)):
            if "job" in request:
                self._accept(_Task(request["number"], request["job"]))
            else:
                self._tell(number=request["number"], initialized=_context_initialized())

    def _accept(self, task: _Task) -> None:
        if self.settings.resident:
            self._waiting.append(task)
            self._hand_out()
            return
        try:
            self._launch(task)
        except OSError as error:
            self._report(task, "failed", f"the job could not be started: {error}")

    def _report(self, task: _Task, kind: str, detail: str = "", text: str = "", seconds: float = 0.0) -> None:
        self._tell(number=task.number, kind=kind, detail=detail, text=text, seconds=seconds)

    # -- starting ----------------------------------------------------------------------------------------------------

    def _launch(self, task: _Task | None) -> None:
        """Start a worker: for ``task``, or a resident one."""
        results, result_end = os.pipe()
        output, output_end = os.pipe()
        request_end, requests = os.pipe() if task is None else (-1, -1)
        folder = self.settings.folder
        if self.jail.refused["mount"]:
            folder = tempfile.mkdtemp(dir=folder)
        made = _Worker(0, 0, folder, results, output, requests, task, ready=task is not None)
        made.base, made.started = watch.memory(os.getpid()), time.monotonic()
        self._workers.append(made)
        try:
            made.first = self.jail.open_space()
            made.pid = os.fork()
            if made.pid == 0:
                self._become_worker(task, folder, result_end, output_end, request_end)
            self.jail.close_space()
        except OSError:
            self._dismiss(made)
            raise
        finally:
            for end in (result_end, output_end, request_end):
                if end >= 0:
                    os.close(end)
        for file, heard in ((results, self._hear_results), (output, self._hear_output)):
            os.set_blocking(file, False)
            self._selector.register(file, selectors.EVENT_READ, functools.partial(heard, made))

    def _become_worker(self, task: _Task | None, folder: str, results: int, output: int, requests: int) -> NoReturn:
        """In the new process. Its first three files are as a job may use them, the others are closed."""
        try:
            os.dup2(output, 1)
            os.dup2(output, 2)
            self.jail.confine(folder)
            sandbox.close_files([results, requests])
            os.environ.update(HOME=folder, TMPDIR=folder, KERAS_HOME=folder)
            tempfile.tempdir = None  # it is remembered
            if task is not None:
                _write(results, worker.answer(self.settings.runner, task.job))
            else:
                self._run_jobs(results, requests)
        except BaseException as error:
            _write(results, worker.FAILED + json.dumps(_reason(error)).encode())
        worker.leave()

    def _run_jobs(self, results: int, requests: int) -> None:
        versions = worker.preload(self.settings.device, self.settings.runner) if self.settings.preload else {}
        _write(results, worker.READY + json.dumps(versions).encode())
        frames = wire.Frames()
        while data := os.read(requests, 1 << 16):
            for request in frames.feed(data):
                _write(results, worker.answer(self.settings.runner, json.loads(request)))

    def _hand_out(self) -> None:
        """Give the resident worker its next job."""
        resident = self._workers[0] if self._workers else None
        if resident is None or resident.busy or not self._waiting:
            return
        resident.task = self._waiting.popleft()
        resident.started, resident.written, resident.base = time.monotonic(), 0, watch.memory(resident.pid)
        resident.tail.clear()
        os.set_blocking(resident.requests, True)
        with contextlib.suppress(BrokenPipeError):  # it is dead, which is found out elsewhere
            _write_all(resident.requests, wire.frame(resident.task.job))

    # -- what comes from a worker ------------------------------------------------------------------------------------

    def _hear_output(self, one: _Worker) -> bool:
        data = self._read(one.output)
        one.written += len(data)
        one.tail += data
        del one.tail[: -ends.TAIL]
        if one.task and one.written > self.settings.limits.output:
            self._break(one, *ends.too_much(self.settings.limits.output))
        return bool(data)

    def _hear_results(self, one: _Worker) -> bool:
        data = self._read(one.results)
        for answer in one.frames.feed(data):
            kind, text = answer[:1], answer[1:].decode(errors="replace")
            if not one.ready:
                self._greet(one, kind, text)
            elif one.task is not None:
                task, one.task, one.fresh = one.task, None, False
                spent = time.monotonic() - one.started
                self._report(task, "done" if kind == worker.RESULT else "failed", text=text, seconds=spent)
                if one.requests < 0:
                    self._dismiss(one)
                    break
                self._hand_out()
        if one.task and len(one.frames) > LARGEST:
            self._break(one, *ends.too_much(LARGEST))
        return bool(data)

    def _greet(self, one: _Worker, kind: bytes, text: str) -> None:
        if kind != worker.READY:
            raise StartFailed(json.loads(text))
        one.ready = True
        self._tell(hello=self._hello(json.loads(text)))
        self._hand_out()

    def _read(self, file: int) -> bytes:
        """What there is to be read; at the end of it the file is no longer listened to."""
        with contextlib.suppress(BlockingIOError):
            data = os.read(file, 1 << 16)
            if not data:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(file)
            return data
        return b""

    # -- watching ----------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """See what has ended, and whether anything exceeds its limits."""
        self._dying = {pid for pid in self._dying if not _reaped(pid)}
        if not any(one.busy for one in self._workers) and not self._dying:
            return
        known = watch.parents()
        for one in list(self._workers):
            if status := _reaped(one.pid):
                one.pid = 0
                for heard in (self._hear_output, self._hear_results):  # what it left in its pipes
                    while one in self._workers and heard(one):
                        pass
                if one in self._workers:
                    self._break(one, *ends.ended(os.waitstatus_to_exitcode(status[0])))
            elif one.busy and (broken := self._exceeded(one, known)):
                self._break(one, *broken)
        self._sweep(known)

    def _exceeded(self, one: _Worker, known: dict[int, int]) -> tuple[str, str] | None:
        """The limit that a job is beyond, and how."""
        limits, spent = self.settings.limits, time.monotonic() - one.started
        seconds = limits.seconds if one.task else STARTUP
        if spent > seconds:
            return ends.too_late(seconds)
        if one.task is None:
            return None
        tree = watch.descendants(filter(None, (one.pid, one.first)), known)
        tree = [pid for pid in tree if pid != one.first]
        if len(tree) > limits.processes:
            return ends.too_many(len(tree), limits.processes)
        threads = sum(map(watch.threads, tree))
        if threads > limits.threads:
            return ends.too_many(threads, limits.threads, "threads")
        grown = watch.growth(tree, one.base, limits.memory)
        if grown > limits.memory:
            return ends.too_large(grown, limits.memory)
        return None

    def _break(self, one: _Worker, kind: str, detail: str) -> None:
        """The end of a worker that did not come to a result."""
        if not one.ready:
            raise StartFailed(worker.not_imported(ends.with_tail(detail, one.tail)))
        task, spent = one.task, time.monotonic() - one.started
        self._dismiss(one)
        if task is not None and one.requests >= 0 and not one.fresh and not task.again:
            task.again = True  # what others left behind may have done it: once more, alone
            self._waiting.appendleft(task)
        elif task is not None:
            self._report(task, kind, ends.with_tail(detail, one.tail), seconds=spent)
        if one.requests >= 0:
            self._launch(None)

    def _dismiss(self, one: _Worker) -> None:
        """End a worker and all that it started. It may take them a moment, which is not waited for."""
        self._workers.remove(one)
        for file in (one.results, one.output, one.requests):
            if file >= 0:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(file)
                os.close(file)
        for pid in filter(None, (one.first, one.pid)):
            if not one.first:
                watch.kill(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._dying.add(pid)
        if one.folder != self.settings.folder:
            shutil.rmtree(one.folder, ignore_errors=True)

    def _sweep(self, known: dict[int, int]) -> None:
        """Without pid namespaces, end what jobs have left behind: it has become a child of this process."""
        if self.jail.refused["pid"]:
            ours = {one.pid for one in self._workers} | self._dying
            for pid in [pid for pid, parent in known.items() if parent == os.getpid() and pid not in ours]:
                watch.kill(pid)
                self._dying.add(pid)


class StartFailed(Exception):
    """TensorFlow cannot be imported, or not used."""


def _reaped(pid: int) -> tuple[int] | None:
    """The status of the child ``pid`` if it has ended."""
    try:
        done, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return (0,)
    return (status,) if done else None


def _write(file: int, answer: bytes) -> None:
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    _write_all(file, wire.framed(answer))


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _context_initialized() -> bool:
    """Whether TensorFlow has executed anything here, after which no child could."""
    module = sys.modules.get("tensorflow.python.eager.context")
    made = getattr(module, "_context", None)
    return made is not None and bool(made._initialized)


# -- the program -----------------------------------------------------------------------------------------------------


def main() -> None:
    """``SETTINGS FD``: serve. ``--one FOLDER``: run the job that is there. ``--probe``: say what there is."""
    if sys.argv[1] == "--probe":
        print(json.dumps(_probe()))
    elif sys.argv[1] == "--one":
        _run_one(Path(sys.argv[2]))
    else:
        _serve(Settings.from_json(json.loads(sys.argv[1])), int(sys.argv[2]))
    worker.leave()


def _serve(settings: Settings, channel: int) -> None:
    parent = socket.socket(fileno=channel)
    graphics = [] if settings.device == "cpu" else sorted({*glob.glob("/dev/nvidia*"), *glob.glob("/dev/dri")})
    try:
        jail = sandbox.enter(settings.folder, settings.limits.disk, channel, settings.without, graphics)
        zygote = Zygote(settings, parent, jail)
        try:
            zygote.serve()
        finally:
            zygote.end()
    except Exception as error:
        with contextlib.suppress(OSError):
            parent.sendall(wire.frame({"error": _reason(error)}))
        traceback.print_exc()


def _reason(error: BaseException) -> str:
    known = isinstance(error, (StartFailed, worker.Unusable))
    return str(error) if known else f"{type(error).__name__}: {error}"


def _run_one(folder: Path) -> None:
    """A job alone in its process, where there is no fork."""
    settings = json.loads((folder / "job.json").read_text())
    if settings["preload"]:
        worker.preload("cpu", settings["runner"])
    (folder / "started").touch()  # its time begins
    answer = worker.answer(settings["runner"], settings["job"])
    (folder / "answer").write_bytes(answer)


def _probe() -> dict[str, Any]:
    try:
        found = worker.versions()
    except worker.Unusable as error:
        return {"error": str(error)}
    import tensorflow as tf

    return {"versions": found, "gpus": len(tf.config.list_physical_devices("GPU"))}
