"""What ``losslint check`` writes: fixes, reports, baselines, suppressions."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from losslint.cli.telling import Mistake, for_terminal, say, unwritable, wants_colour
from losslint.reporters import FOR_PEOPLE
from losslint.settings import Resolver

if TYPE_CHECKING:
    from losslint.session import Result


def make_fixes(result: Result, texts: dict[str, bytes], resolver: Resolver) -> bool:
    """Write the files that fixes change; standard input goes to standard output, changed or not.

    Whether it does, so that the report has to go elsewhere.
    """
    if not result.changes and not texts:
        return False
    from losslint import fixing, sources

    for change in result.changes:
        if change.filename in texts:
            texts[change.filename] = sources.encode(change.before, change.after)
            continue
        try:
            fixing.write(change)
        except fixing.Unwritable as error:
            result.errors.append(str(error))
    for filename, data in texts.items():
        if resolver.of_file(filename).fix:
            sys.stdout.buffer.write(data)
            return True
    return False


def show_diff(result: Result, exit_zero: bool) -> int:
    """Print what fixes would change; status 1 if that is something."""
    from losslint import fixing
    from losslint.reporters.lines import counted, write

    for warning in result.warnings:
        say("warning", warning)
    for error in result.errors:
        say("error", error)
    styles = {"+": "green", "-": "red", "@": "cyan"}
    lines = (
        [(for_terminal(line), styles.get(line[:1], ""))] for change in result.changes for line in fixing.diff(change)
    )
    write(lines, sys.stdout, wants_colour(sys.stdout))
    hidden = sum(f.fix is not None and not result.offers(f) for f in result.findings)
    more = f" ({counted(hidden, 'hidden fix', 'hidden fixes')} can be enabled with --unsafe-fixes)" if hidden else ""
    click.echo(f"Would fix {counted(len(result.fixed), 'finding')}{more}", err=True)
    return 2 if result.errors else int(bool(result.changes) and not exit_zero)


def write_out(result: Result, form: str, output_file: Path | None, statistics: bool, piped: bool = False) -> None:
    """Write the report; to standard error where standard output is ``piped`` on as source."""
    from losslint import reporters
    from losslint.reporters.lines import write

    lines = reporters.counts(result, form) if statistics else reporters.render(result, form)
    if output_file is None:
        stream = sys.stderr if piped else sys.stdout
        write(lines, stream, form in FOR_PEOPLE and wants_colour(stream))
        return
    try:
        with open(output_file, "w", encoding="utf-8", errors="backslashreplace") as file:
            write(lines, file, colour=False)
    except OSError as error:
        raise unwritable(output_file, error) from None


def write_baseline_of(result: Result, path: Path | None) -> int:
    """List what was found in the baseline; status 0, unless an analysis failed."""
    from losslint import baseline
    from losslint.reporters.lines import counted

    if path is None:
        raise click.UsageError("--write-baseline writes what --baseline names: add --baseline losslint-baseline.json")
    for told in result.errors:
        say("error", told)
    try:
        number = baseline.write(result, path)
    except baseline.BaselineError as error:
        raise Mistake(str(error)) from None
    except OSError as error:
        raise unwritable(path, error) from None
    click.echo(f"Wrote {counted(number, 'finding')} to {path}")
    return 2 if result.status == 2 else 0


def hide_known(result: Result, path: Path, resolver: Resolver) -> None:
    """Take out what the baseline lists, and say what it need not list any more."""
    from losslint import baseline
    from losslint.reporters.lines import counted

    try:
        gone = baseline.hide(result, baseline.read(path), path, resolver)
    except baseline.BaselineError as error:
        raise Mistake(str(error)) from None
    if gone:
        number, first = gone.total(), min(gone)
        named = f"{first.code} in {first.function} of {first.file}{', ...' if number > 1 else ''}"
        told = f"{counted(number, 'finding')} of {path} found no more ({named})"
        say("note", f"{told}: --write-baseline takes {'them' if number > 1 else 'it'} out")


def add_ignores(result: Result, reason: str) -> int:
    """Write a suppression for every finding; status 0, unless a file could not be read or written."""
    from losslint import fixing, ignoring, session, sources
    from losslint.reporters.lines import counted

    number = files = 0
    for name in dict.fromkeys(f.filename for f in result.findings):
        wanted = [f for f in result.findings if f.filename == name and f.code not in ignoring.NEVER]
        if not wanted:
            continue
        source = sources.read(Path(name), name)
        changed = ignoring.ignored(source, wanted, " ".join(reason.split()))
        try:
            fixing.write(session.Change(Path(os.path.abspath(name)), source, changed))
        except fixing.Unwritable as problem:
            result.errors.append(str(problem))
            continue
        number, files = number + len(wanted), files + 1
    for error in result.errors:
        say("error", error)
    click.echo(f"Ignored {counted(number, 'finding')} in {counted(files, 'file')}")
    return 2 if result.status == 2 else 0
