"""What a job uses, as Linux tells it in /proc: its processes and their memory. And how to end them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Collection, Iterable


def parents() -> dict[int, int]:
    """Each process there is -> its parent."""
    found = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            found[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    return found


def descendants(roots: Iterable[int], known: dict[int, int]) -> list[int]:
    """``roots`` and all processes below them."""
    children: dict[int, list[int]] = {}
    for pid, parent in known.items():
        children.setdefault(parent, []).append(pid)
    found = [pid for pid in roots if pid in known]
    for pid in found:  # grows while it is gone through
        found += children.get(pid, ())
    return found


def memory(pid: int) -> int:
    """Bytes of memory that ``pid`` has touched: its own, not the files that it maps."""
    return _sum(f"/proc/{pid}/status", (b"RssAnon:", b"RssShmem:")) << 10


def threads(pid: int) -> int:
    """How many threads ``pid`` has."""
    return _sum(f"/proc/{pid}/status", (b"Threads:",))


def growth(pids: Collection[int], base: int, limit: int) -> int:
    """Bytes by which ``pids`` exceed ``base``, which each of them shares with the process it was forked from.

    What they share among each other counts several times, until that matters: the exact count takes longer.
    """
    roughly = sum(max(0, memory(pid) - base) for pid in pids)
    if roughly <= limit or len(pids) == 1:
        return roughly
    shares = sum(_sum(f"/proc/{pid}/smaps_rollup", (b"Pss_Anon:", b"Pss_Shmem:")) << 10 for pid in pids)
    return min(roughly, max(0, shares - base)) if shares else roughly


def _sum(path: str, names: tuple[bytes, ...]) -> int:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith(names))
    return 0


def kill(root: int) -> None:
    """End ``root``, its process group, and all below it.

    They are stopped first, so that none can start another while others end; a group is stopped as a whole.
    """
    _signal(os.killpg, root, signal.SIGSTOP)
    stopped: set[int] = set()
    while fresh := set(descendants([root], parents())) - stopped:
        for pid in fresh:
            _signal(os.kill, pid, signal.SIGSTOP)
        stopped |= fresh
    _signal(os.killpg, root, signal.SIGKILL)
    for pid in stopped:
        _signal(os.kill, pid, signal.SIGKILL)


def _signal(send: Callable[[int, int], None], pid: int, number: int) -> None:
    with contextlib.suppress(OSError):  # it has ended
        send(pid, number)
