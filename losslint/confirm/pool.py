"""Runs jobs, each isolated, from a process that never imports TensorFlow nor anything of the user's.

    with ThreadPoolExecutor(4) as executor, Pool() as pool:
        outcomes = list(executor.map(pool.run, jobs))

In that order an interrupt ends the pool first, and with it whatever the threads wait for.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import json
import os
import re
import site
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent import futures
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from losslint.confirm import ends, spawn, wire, worker
from losslint.confirm.jobs import STARTUP, Limits, Outcome
from losslint.confirm.leftovers import Remover

RUNNER = "losslint.confirm.runner:run"

_ROOT = str(Path(__file__).parents[2])
_PROGRAM = f"import sys; sys.path.append({_ROOT!r}); from losslint.confirm import zygote; zygote.main()"
_NAMES = "PATH LANG LANGUAGE TZ LD_LIBRARY_PATH DYLD_LIBRARY_PATH PYTHONPATH PYTHONHOME VIRTUAL_ENV SYSTEMROOT".split()
_PREFIXES = ("CUDA", "NVIDIA", "TF_", "XLA_", "OPENBLAS_", "OMP_")
_LOCALE = frozenset(
    "LC_ALL LC_ADDRESS LC_COLLATE LC_CTYPE LC_IDENTIFICATION LC_MEASUREMENT LC_MESSAGES LC_MONETARY LC_NAME LC_NUMERIC "
    "LC_PAPER LC_TELEPHONE LC_TIME".split()
)
"""By name: servers let any LC_* in, so other things travel under that prefix."""
_SECRET = re.compile(
    r"TOKEN|SECRET|PASS|PWD|KEY|CRED|AUTH|COOKIE|PRIVATE|_PAT$|CONN|^TF_(VAR|CLI|CONFIG|HTTP|STATE|BACKEND)",
    re.IGNORECASE,
)
"""What tells a secret, whatever its prefix: TF_ is Terraform's as well, and TF_CONFIG that of a cluster."""
_CLOSING = 0.5  # seconds that the zygote has to end by itself
_GRACE = 60.0  # seconds beyond the limit of a job that the zygote has to say so


class NoDevice(Exception):
    """There is no such device."""


class CannotStart(Exception):
    """TensorFlow cannot be imported, or a process not be started."""


class Closed(Exception):
    """The pool was closed while a job ran, or before."""


class Pool:
    """Runs jobs. Where processes can be forked each has one of its own, made by a zygote; on a GPU one serves all.

    ``runner`` is what is called with the job in there, as "module:function". ``without`` names mechanisms of the
    sandbox (``sandbox.SWITCHES``) not to be used.
    """

    def __init__(
        self,
        device: str = "cpu",
        keras: str = "3",
        limits: Limits | None = None,
        runner: str = RUNNER,
        preload: bool = True,
        *,
        start_method: str = "",
        resident: bool | None = None,
        without: Iterable[str] = (),
    ) -> None:
        self._limits = limits or Limits()
        self._runner, self._preload, self._device, self._keras = runner, preload, device, keras
        self._forks = (start_method or ("fork" if sys.platform == "linux" else "spawn")) == "fork"
        self._resident = device != "cpu" if resident is None else resident
        # CUDA may talk to services of the machine by sockets, and write where nobody has looked yet
        self._without = sorted({*without, *(["seccomp", "landlock"] if device != "cpu" else [])})
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="losslint-"))
        self._remover = Remover(self.folder)
        self._environment = functools.partial(environment, device=device, keras=keras)
        self._lock = threading.Lock()  # of the next two
        self._closed = False
        self._zygotes: list[_Zygote] = []
        self._alone = threading.Lock()
        self._spawner = spawn.Spawner([sys.executable, "-c", _PROGRAM], self._environment, self._limits)
        if self._forks:
            self._zygote()  # it starts while the caller prepares the jobs

    # -- running -----------------------------------------------------------------------------------------------------

    def run(self, job: dict[str, Any]) -> Outcome:
        """Run ``job`` to its end, whatever that is. May be called from several threads."""
        if not self._forks:
            return self._run_spawned(job)
        try:
            return self._zygote().run(job)
        except CannotStart:
            self._check_open()  # a closed pool has not even tried
            raise
        except _Died:
            self._check_open()
        with self._alone, self._started() as own:  # it may have been any of those that ran
            try:
                return own.run(job)
            except _Died as death:
                self._check_open()
                detail = f"the process that had started it died, twice{death}"
                return Outcome("crash", detail=detail, enforced=own.hello["enforced"])

    def _run_spawned(self, job: dict[str, Any]) -> Outcome:
        self._check_open()
        settings = {"job": job, "runner": self._runner, "preload": self._preload}
        try:
            with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as folder:
                return self._spawner.run(Path(folder), settings)
        finally:
            self._check_open()

    # -- what is known of it -----------------------------------------------------------------------------------------

    @property
    def enforced(self) -> dict[str, str]:
        """Limit -> the mechanism that enforces it, or "not enforced: why"."""
        return self._zygote().hello["enforced"] if self._forks else self._spawner.enforced

    @property
    def versions(self) -> dict[str, str]:
        """What is used: "tensorflow", "keras", and "device" by its name."""
        told = self._zygote().hello if self._forks else _probe(self._device, self._keras)
        found: dict[str, str] = told["versions"]
        return found

    @property
    def context_initialized(self) -> bool:
        """Whether TensorFlow has executed anything in the zygote. After that no child of it could."""
        return self._forks and bool(self._zygote().ask()["initialized"])

    # -- beginning and end -------------------------------------------------------------------------------------------

    def _zygote(self) -> _Zygote:
        """The zygote that is in use; another one if it has died."""
        with self._lock:
            if not self._zygotes or self._zygotes[0].dead:
                self._zygotes[:1] = [self._start()]
            return self._zygotes[0]

    @contextlib.contextmanager
    def _started(self) -> Iterator[_Zygote]:
        """One more, for a while."""
        with self._lock:
            made = self._start()
            self._zygotes.append(made)
        try:
            yield made
        finally:
            made.close()
            with self._lock, contextlib.suppress(ValueError):  # the pool was closed
                self._zygotes.remove(made)

    def _start(self) -> _Zygote:
        self._check_open()
        folder = tempfile.mkdtemp(dir=self.folder)
        settings = {
            "folder": folder,
            "limits": dataclasses.asdict(self._limits),
            "runner": self._runner,
            "device": self._device,
            "preload": self._preload,
            "resident": self._resident,
            "without": self._without,
        }
        return _Zygote(settings, self._environment(folder))

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("the pool is closed")

    def close(self) -> None:
        """End all that runs, at once; a ``run`` that waits raises ``Closed``."""
        with self._lock:
            self._closed = True
            zygotes, self._zygotes = self._zygotes, []
        self._spawner.close()
        for one in zygotes:
            one.close()
        self._remover.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Died(Exception):
    """The zygote is dead; says what it left."""


class _Zygote:
    """The other side of ``zygote.Zygote``."""

    def __init__(self, settings: dict[str, Any], environment: dict[str, str]) -> None:
        self._channel, theirs = socket.socketpair()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        # a resident worker takes one job after the other, and nobody knows when it is the turn of one
        self._patience = None if settings["resident"] else settings["limits"]["seconds"] + _GRACE
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, json.dumps(settings), str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=self._errors,
            cwd=settings["folder"],
            env=environment,
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # an interrupt from the terminal is for the caller alone
        )
        theirs.close()
        self._numbers = itertools.count()
        self._lock = threading.Lock()  # of the next two, and of what is sent
        self.dead = False
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._hello: Future[dict[str, Any]] = Future()
        self._greeted, self._error = False, ""
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def hello(self) -> dict[str, Any]:
        """What it said when it was ready."""
        try:
            return self._hello.result(STARTUP + _CLOSING)
        except futures.TimeoutError:
            self._error = worker.not_imported(ends.too_late(STARTUP)[1])
            self._process.kill()
            return self._hello.result()

    def run(self, job: dict[str, Any]) -> Outcome:
        """Run ``job``. Raises ``_Died``, or ``CannotStart``."""
        enforced = self.hello["enforced"]
        told = self.ask(self._patience, job=job)
        kind, detail, result = told["kind"], told["detail"], None
        if told["text"]:
            kind, detail, result = ends.told(kind, told["text"])
        return Outcome(kind, result, detail, told["seconds"], enforced)

    def ask(self, patience: float | None = None, **request: Any) -> dict[str, Any]:
        """The answer to ``request``; who does not give it within ``patience`` seconds is ended."""
        answer: Future[dict[str, Any]] = Future()
        with self._lock:
            if self.dead:
                raise self._death()
            number = next(self._numbers)
            self._waiting[number] = answer
            with contextlib.suppress(ConnectionError):  # the listener finds that out
                self._channel.sendall(wire.frame(request | {"number": number}))
        try:
            return answer.result(patience)
        except futures.TimeoutError:  # a job may have stopped it
            self._process.kill()
            return answer.result()

    def close(self) -> None:
        """End it, and all that it started."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._end(_CLOSING)

    def _end(self, seconds: float) -> None:
        """See it end, by itself if it does so in that time: then its status tells why."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        """Hand what arrives to those who wait for it, until nothing can arrive any more."""
        frames = wire.Frames()
        with contextlib.suppress(OSError):
            while data := self._channel.recv(1 << 16):
                for message in map(json.loads, frames.feed(data)):
                    if "hello" in message:
                        if not self._greeted:
                            self._greeted = True
                            self._hello.set_result(message["hello"])
                    elif "error" in message:
                        self._error = message["error"]
                    else:
                        self._waiting.pop(message["number"]).set_result(message)
        with self._lock:
            self.dead = True
            waiting = [*self._waiting.values(), *([] if self._hello.done() else [self._hello])]
        self._end(10 * _CLOSING)  # it may have closed its end, but live
        for one in waiting:
            one.set_exception(self._death())
        self._channel.close()

    def _death(self) -> Exception:
        self._errors.seek(0)
        tail = self._errors.read()[-ends.TAIL :]
        if self._error or not self._greeted:
            return CannotStart(self._error or _not_imported(ends.as_shells_tell(self._process.returncode), tail))
        return _Died(ends.with_tail("", tail))


def _not_imported(code: int, tail: bytes) -> str:
    """That a process which was to import TensorFlow has ended with ``code``, and what it wrote last."""
    return worker.not_imported(ends.with_tail(ends.ended(code)[1], tail))


# -- devices ---------------------------------------------------------------------------------------------------------


def devices() -> list[str]:
    """The devices that TensorFlow finds: "cpu", "gpu:0", ... It is asked in another process. Raises CannotStart."""
    return ["cpu", *(f"gpu:{number}" for number in range(_probe("all", "3")["gpus"]))]


def resolve_device(wanted: str) -> str:
    """The device that "auto", "cpu", "gpu" or "gpu:N" means. Raises ``NoDevice`` where there is none."""
    if wanted == "cpu" or (wanted == "auto" and not _may_have_gpu()):
        return "cpu"
    found = devices()
    if wanted == "auto":
        return found[1] if len(found) > 1 else found[0]
    name = "gpu:0" if wanted == "gpu" else wanted
    if name not in found:
        raise NoDevice(f"no device {wanted!r}: TensorFlow finds {', '.join(found)}; name one of these")
    return name


def _may_have_gpu() -> bool:
    """Whether asking TensorFlow, which takes seconds, could find one: Linux names its devices in /dev."""
    nodes = ("nvidia[0-9]*", "dxg", "kfd")
    return sys.platform != "linux" or any(True for node in nodes for _ in Path("/dev").glob(node))


@functools.cache
def _probe(device: str, keras: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            ran = subprocess.run(
                [sys.executable, "-c", _PROGRAM, "--probe"],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                cwd=folder,
                env=environment(folder, device, keras),
                timeout=STARTUP,
            )
        except subprocess.TimeoutExpired:
            raise CannotStart(worker.not_imported(ends.too_late(STARTUP)[1])) from None
    if ran.returncode:
        raise CannotStart(_not_imported(ran.returncode, ran.stderr))
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    if "error" in found:
        raise CannotStart(found["error"])
    return found


# -- the environment -------------------------------------------------------------------------------------------------


def environment(folder: str, device: str, keras: str) -> dict[str, str]:
    """What of the environment jobs may know, and what TensorFlow is told by it. ``folder`` is their home."""
    kept = {
        n: v
        for n, v in os.environ.items()
        if n.upper() in _NAMES or n in _LOCALE or (n.startswith(_PREFIXES) and not _SECRET.search(n))
    }
    if site.ENABLE_USER_SITE:
        kept["PYTHONUSERBASE"] = site.getuserbase()  # otherwise looked for at HOME
    told = {
        "HOME": folder,
        "TMPDIR": folder,
        "KERAS_HOME": folder,
        "KERAS_BACKEND": "tensorflow",
        "TF_USE_LEGACY_KERAS": "1" if keras == "2" else "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",  # why it aborts is told nevertheless
        "OPENBLAS_NUM_THREADS": "1",  # numpy would start threads in the zygote, which no child has
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",  # what is printed before a crash is told
        "PYTHONHASHSEED": "0",
    }
    if device == "cpu":
        told["CUDA_VISIBLE_DEVICES"] = "-1"
    elif device.startswith("gpu:"):
        visible = kept.get("CUDA_VISIBLE_DEVICES", "")
        number = int(device.partition(":")[2])
        told["CUDA_VISIBLE_DEVICES"] = visible.split(",")[number] if visible else str(number)
    return kept | told
