"""How the end of a job is told."""

from __future__ import annotations

import json
import signal
from typing import Any

TAIL = 1 << 14
"""Bytes of what a job has written that are kept."""

_LINES, _WIDTH = 8, 300  # of what is told of it


def ended(code: int) -> tuple[str, str]:
    """The kind and the detail of an exit code as Python has them: negative for a signal."""
    if code >= 0:
        return "exit", f"exited with status {code}"
    try:
        return "crash", f"killed by {signal.Signals(-code).name}"
    except ValueError:  # most of those for real time have no name
        return "crash", f"killed by signal {-code}"


def as_shells_tell(status: int) -> int:
    """The exit code that a shell would tell as ``status``: it adds 128 to the number of a signal."""
    return 128 - status if 128 < status <= 128 + signal.NSIG else status


def told(kind: str, text: str | bytes) -> tuple[str, str, dict[str, Any] | None]:
    """Kind, detail and result of a job that has answered ``text``, "done" or "failed".

    The job may have written it itself: it is taken for nothing but what it has to be.
    """
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        return "failed", f"no result, but {error}", None
    if kind == "done" and isinstance(answer, dict):
        return kind, "", answer
    if kind == "failed" and isinstance(answer, str):
        return kind, answer, None
    return "failed", f"no result, but something of the kind {type(answer).__name__}", None


def with_tail(detail: str, tail: bytes | bytearray) -> str:
    """``detail`` and what was written last. Why TensorFlow aborts stands above the addresses that it prints."""
    text = "".join(c for c in tail[-TAIL:].decode(errors="replace") if c.isprintable() or c == "\n")
    told = [line[:_WIDTH].rstrip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("@ ")]
    return "\n".join([detail, *told[-_LINES:]])


def too_late(seconds: float) -> tuple[str, str]:
    """It took more than ``seconds``."""
    return "timeout", f"no result after {seconds:g} s"


def too_many(count: int, allowed: int, what: str = "processes") -> tuple[str, str]:
    """It started too many processes, or threads in them."""
    return "processes", f"{count} {what}, of {allowed} allowed"


def too_large(memory: int, allowed: int) -> tuple[str, str]:
    """It took too much memory."""
    return "memory", f"{size(memory)} of memory, of {size(allowed)} allowed"


def too_much(allowed: int) -> tuple[str, str]:
    """It wrote too much."""
    return "output", f"more than {size(allowed)} written"


def size(count: int) -> str:
    """``count`` bytes, readable."""
    return f"{count / (1 << 30):.1f} GB" if count >= 1 << 30 else f"{count / (1 << 20):.3g} MB"
