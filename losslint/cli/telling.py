"""What is said on standard error, and in which colours anything is said."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from losslint import rulebook
from losslint.executor import NoCluster
from losslint.reporters.lines import printable
from losslint.settings import ConfigurationError


@contextlib.contextmanager
def mistakes() -> Iterator[None]:
    """A mistake in the configuration is one line and status 2, not a traceback."""
    try:
        yield
    except (ConfigurationError, rulebook.UnknownRule, NoCluster) as error:
        raise Mistake(str(error)) from None


class Mistake(click.ClickException):
    """What the user can put right; the text says how."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it."""
        click.echo(f"losslint: error: {printable(self.format_message())}", file=file or sys.stderr)


def unwritable(path: Path, error: OSError) -> Mistake:
    """That a file which the user named cannot be written, and what to do."""
    way = "name another file" if path.parent.is_dir() else f"make the folder {path.parent} first"
    return Mistake(f"cannot write {path}: {error.strerror}; {way}")


def say(kind: str, message: str) -> None:
    """Print a note, a warning or an error to standard error."""
    click.echo(f"losslint: {kind}: {printable(message)}", err=True)


def for_terminal(line: str) -> str:
    """``line`` of standard output, which is exact for programs and moves no cursor on a terminal."""
    return printable(line.removesuffix("\r")) if sys.stdout.isatty() else line


def wants_colour(file: IO[str]) -> bool:
    """Colour is for terminals, unless NO_COLOR is set; FORCE_COLOR asks for it anywhere."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (file.isatty() and os.environ.get("TERM") != "dumb")
