"""``losslint check``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from losslint import progress, rulebook
from losslint.cli import completion
from losslint.cli.deeds import add_ignores, hide_known, make_fixes, show_diff, write_baseline_of, write_out
from losslint.cli.options import Output, Running, configured, listed, outputs_of, per_file, resolver_of, running
from losslint.cli.telling import for_terminal, mistakes, say
from losslint.reporters import FORMATS
from losslint.settings import FAIL_ON, Resolver

if TYPE_CHECKING:
    from losslint.session import Result

_SEVERITIES = ("info", "warning", "error")


def _rules(name: str, help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that takes rules, in lists and again and again."""
    return click.option(
        name, multiple=True, callback=listed, metavar="RULES", shell_complete=completion.rules, help=help
    )


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@_rules("--select", "Rules to look for: ALL, LL4, LL302 or a name.")
@_rules("--ignore", "Rules to leave out.")
@_rules("--extend-select", "Rules to add to those selected.")
@click.option(
    "--per-file-ignores",
    multiple=True,
    callback=per_file,
    metavar="PATTERN:RULE",
    help="Rules to leave out in some files.",
)
@click.option("--exclude", multiple=True, callback=listed, metavar="PATTERNS", help="Files and folders to leave out.")
@click.option(
    "--extend-exclude",
    multiple=True,
    callback=listed,
    metavar="PATTERNS",
    help="The same, beside the configured ones.",
)
@click.option("--respect-gitignore/--no-respect-gitignore", default=None, help="Whether to leave out what git ignores.")
@click.option("--force-exclude", is_flag=True, help="Leave out excluded files even where they are named.")
@click.option("--min-severity", type=click.Choice(_SEVERITIES), help="The least severity to show.  [default: warning]")
@click.option(
    "--fail-on", type=click.Choice(FAIL_ON), help="The least severity that makes the status 1.  [default: warning]"
)
@click.option(
    "--output-format",
    "outputs",
    multiple=True,
    callback=outputs_of,
    shell_complete=completion.formats,
    metavar="FORMAT[=FILE]",
    help=f"{', '.join(FORMATS)}; with =FILE, written there as well, once for each.  [default: text]",
)
@click.option("--fix/--no-fix", default=None, help="Apply fixes. Unsafe ones only with --unsafe-fixes.")
@click.option(
    "--unsafe-fixes/--no-unsafe-fixes", default=None, help="Count in fixes that change results, if only at the edge."
)
@click.option("--diff", is_flag=True, help="Show what fixes would change, and change nothing.")
@click.option("--output-file", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write the findings there.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Hide the findings that this file lists.",
)
@click.option("--write-baseline", is_flag=True, help="Write all findings to the file that --baseline names; status 0.")
@click.option(
    "--add-ignore", metavar="REASON", help="Write a suppression with that reason for everything found; status 0."
)
@click.option("--statistics", is_flag=True, help="Count the findings of each rule instead of showing them.")
@click.option("--exit-zero", "-e", is_flag=True, help="Status 0 even with findings.")
@click.option("--no-cache", "-n", is_flag=True, help="Analyse every file anew, and keep nothing.")
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="LOSSLINT_CACHE_DIR",
    help="Where to keep what was found.  [default: .losslint_cache]",
)
@click.option("--stdin-filename", metavar="PATH", help="Read standard input, and call it PATH.")
@click.option("--show-files", is_flag=True, help="List the files that would be linted.")
@click.option("--show-settings", is_flag=True, help="Show the settings of the first file.")
@click.option("--jobs", "-j", type=click.IntRange(min=0), default=0, help="Processes; 0 for as many as are worth it.")
@click.option("--confirm", "confirms", is_flag=True, help="Run what was flagged, and say what the runs show.")
@running
@configured
def check(
    paths: tuple[str, ...],
    config: Path | None,
    isolated: bool,
    force_exclude: bool,
    outputs: list[Output],
    output_file: Path | None,
    baseline: Path | None,
    write_baseline: bool,
    add_ignore: str | None,
    statistics: bool,
    diff: bool,
    exit_zero: bool,
    no_cache: bool,
    cache_dir: Path | None,
    stdin_filename: str | None,
    show_files: bool,
    show_settings: bool,
    jobs: int,
    confirms: bool,
    how: Running,
    **options: Any,
) -> int:
    """Lint files and folders (the current folder where no PATHS are given; - for standard input)."""
    from losslint import session

    paths = paths or (("-",) if stdin_filename else (".",))
    piped_in = "-" in paths or bool(stdin_filename)
    runs = confirms or how.repro or how.report is not None
    _refuse_contradictions(add_ignore, piped_in, mixed=piped_in and set(paths) != {"-"}, diff_of_a_run=diff and runs)
    options |= {"fix": True} if diff else {}
    with mistakes():
        resolver = resolver_of(config, isolated, **options)
        if show_files or show_settings:
            return _show(paths, resolver, force_exclude, show_settings)
        texts: dict[str, bytes] = {}
        if piped_in:
            filename = stdin_filename or "-"
            if sys.stdin is None:
                raise click.UsageError("there is no standard input to read: it is closed")
            texts[filename] = sys.stdin.buffer.read()
            result = _check_stdin(texts[filename], filename, resolver, force_exclude)
        else:
            # what runs are told of a finding is not kept
            folder = None if no_cache or runs else cache_dir or resolver.of(Path.cwd()).cache_folder
            with progress.bar(sys.stderr, "Linting", how.progress) as told:
                result = session.check(
                    paths,
                    resolver,
                    jobs=jobs,
                    force_exclude=force_exclude,
                    cache=folder,
                    cluster=how.cluster,
                    progress=told,
                )
        if diff:
            return show_diff(result, exit_zero)
        piped = make_fixes(result, texts, resolver)
        baseline = baseline or resolver.of(Path.cwd()).baseline
        if write_baseline:
            return write_baseline_of(result, baseline)
        if baseline is not None:
            hide_known(result, baseline, resolver)
        if add_ignore is not None:
            return add_ignores(result, add_ignore)
    if runs:
        from losslint.cli import confirming

        confirmation = confirming.confirmed(result, resolver, how, jobs, texts)
    else:
        confirmation = None
    for warning in result.warnings:
        say("warning", warning)
    for error in result.errors:
        say("error", _with_hint(error, paths[0]))
    if how.repro and confirmation is not None:
        return confirming.print_repro(confirmation.ran, "--select")
    for form, file in outputs:
        write_out(result, form, file or output_file, statistics and file is None, piped)
    if how.report is not None and confirmation is not None:
        confirming.write_report(how.report, confirmation.ran, result)
    if confirmation is not None and confirmation.interrupted:
        return 130
    return 0 if exit_zero and result.status == 1 else result.status


def _refuse_contradictions(add_ignore: str | None, piped_in: bool, mixed: bool, diff_of_a_run: bool) -> None:
    """Raises UsageError for options that contradict each other."""
    if add_ignore is not None and not add_ignore.strip():
        raise click.UsageError("--add-ignore wants a reason, as in --add-ignore 'the batch is fixed'")
    if add_ignore is not None and piped_in:
        raise click.UsageError("--add-ignore changes files, not standard input: name the file instead")
    if diff_of_a_run:
        raise click.UsageError("--diff only shows changes: leave out --confirm, --repro and --report")
    if mixed:
        raise click.UsageError("standard input and paths cannot be linted in one run: lint them in two")


def _check_stdin(data: bytes, filename: str, resolver: Resolver, force_exclude: bool) -> Result:
    from losslint import discovery, session

    path = Path(os.path.abspath(filename))
    settings = resolver.of(path.parent)
    if force_exclude and discovery.is_excluded(path, settings):
        return session.Result()
    return session.check_text(data, filename, settings)


def _with_hint(error: str, path: str) -> str:
    """A mistyped subcommand is read as a path: say so."""
    root = click.get_current_context().find_root()
    mistyped = error.endswith(f" {path}") and os.sep not in path
    if not mistyped or not isinstance(root.command, click.Group):
        return error
    return error + rulebook.hint(path, root.command.list_commands(root))


def _show(paths: Sequence[str], resolver: Resolver, force_exclude: bool, settings: bool) -> int:
    from losslint import discovery

    found = discovery.find(paths, resolver, force_exclude)
    for error in found.errors:
        say("error", error)
    if settings and found.targets:
        click.echo(f"# {found.targets[0].filename}\n{found.targets[0].settings.describe()}")
    elif not settings:
        for target in found.targets:
            click.echo(for_terminal(target.filename))
    return 2 if found.errors else 0
