"""A progress bar on a terminal, for what takes more than a moment."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""
PATIENCE = 2.0  # seconds
_REFRESH = 0.1  # seconds


@contextlib.contextmanager
def bar(file: IO[str], label: str, wanted: bool = True, patience: float | None = None) -> Iterator[Progress | None]:
    """What to tell how far it is; None where nobody watches ``file`` or no bar is ``wanted``.

    The bar appears once ``patience`` seconds have passed (``PATIENCE`` unless told), and leaves nothing behind. Where
    it waits, it starts no thread: the processes of a pool are forked meanwhile.
    """
    if not wanted or not file.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    patience = PATIENCE if patience is None else patience
    shown = _started(file, label, ticking=True) if patience == 0 else None
    start, drawn = time.monotonic(), 0.0

    def told(done: int, total: int) -> None:
        nonlocal shown, drawn
        now = time.monotonic()
        if now - start < patience or now - drawn < _REFRESH:
            return
        drawn = now
        shown = shown or _started(file, label, ticking=False)
        shown.update(shown.task_ids[0], completed=done, total=total, refresh=True)

    try:
        yield told
    finally:
        if shown is not None:
            shown.stop()


def _started(file: IO[str], label: str, ticking: bool) -> Bar:
    """A bar of rich, whose import takes longer than most runs; a ``ticking`` one shows the time that passes."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    made = Bar(*columns, console=Console(file=file), transient=True, auto_refresh=ticking)
    made.add_task(label, total=None)
    made.start()
    return made
