"""How much work one file may cause: steps, which are the same everywhere, and seconds as a last resort."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

_AGAIN = 1.0
"""Seconds after which a signal to stop is repeated: the first may have been lost in a finalizer."""


class BudgetExceeded(Exception):
    """The loss, or the file, is too large to be followed; reported as LL004."""


@dataclass
class Budget:
    """The steps that the analysis of one file may take, all of its losses together; ``most`` 0 sets no limit."""

    most: int = 0
    spent: int = 0

    @property
    def exceeded(self) -> bool:
        """Whether nothing is left."""
        return 0 < self.most < self.spent

    def charge(self, steps: int) -> None:
        """Note ``steps`` that are taken in any case."""
        self.spent += steps

    def spend(self, steps: int) -> None:
        """Note ``steps``. Raises BudgetExceeded."""
        self.charge(steps)
        if self.exceeded:
            raise BudgetExceeded(f"more than {self.most} steps for one file")


class OutOfTime(BaseException):
    """What runs takes too long. No Exception: nothing on the way may take it for a fault of its own and go on."""


@contextlib.contextmanager
def seconds(most: float) -> Iterator[None]:
    """Raise OutOfTime in this thread once ``most`` seconds have passed inside, by the wall and of work; 0: no limit.

    On a busy machine little work is done in much time. Work is that of the process, whatever its threads are.
    It is raised between two instructions of Python: a call into a library written in C comes to its end first.
    """
    if most <= 0:
        yield
        return
    clock = _Clock(most)
    try:
        clock.start()
        yield
    finally:
        late: OutOfTime | None = None
        while clock.rings:  # it may ring right here
            try:
                clock.stop()
            except OutOfTime as error:
                late = error
        if late is not None:
            raise late


class _Clock(threading.Thread):
    """Works in every thread and on every system, which signals do not."""

    def __init__(self, most: float) -> None:
        super().__init__(name="losslint-clock", daemon=True)
        self._most, self._watched = min(most, threading.TIMEOUT_MAX), threading.get_ident()
        self._lock, self._done = threading.Lock(), threading.Event()
        self._work = time.process_time()
        self._rung = False
        self.rings = True  # until it is stopped

    def run(self) -> None:
        pause = self._most
        while not self._done.wait(pause):
            pause = self._most - (time.process_time() - self._work)
            if pause > 0:  # the machine was busy with something else
                continue
            with self._lock:
                if self.rings:
                    self._rung = True
                    _ring_in(self._watched)
            pause = _AGAIN

    def stop(self) -> None:
        """Ring no more, and hear what was not heard. Where OutOfTime comes in between, stop again."""
        with self._lock:
            self._done.set()
            self.rings = False
        if self._rung:
            _hear()


def _ring_in(thread: int) -> None:
    """Have OutOfTime raised in ``thread``, between two instructions of Python."""
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(OutOfTime))


def _hear() -> None:
    """Let an OutOfTime that may be on its way to this thread arrive.

    CPython can take one back, but goes on to look for it: with a tracer (coverage, a debugger) 3.11 does so for ever.
    """
    try:
        _ring_in(threading.get_ident())
        while True:
            pass
    except OutOfTime:
        return
