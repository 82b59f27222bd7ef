"""A progress bar on stderr, where that is a terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import IO

from losslint.confirm.confirming import Progress


@contextlib.contextmanager
def bar(file: IO[str]) -> Iterator[Progress | None]:
    """What to tell how many losses are done, of how many; None where nobody watches."""
    if not file.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("Running losses"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=file), transient=True) as shown:
        task = shown.add_task("losses", total=None)

        def told(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total)

        yield told
