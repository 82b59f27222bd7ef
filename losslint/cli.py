"""The command line."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from losslint import __version__, rulebook
from losslint.executor import NoCluster
from losslint.plugins import PluginError
from losslint.reporters import ALIASES, FOR_PEOPLE, FORMATS
from losslint.settings import FAIL_ON, ConfigurationError, Resolver

if TYPE_CHECKING:
    from losslint.confirm.confirming import Confirmation, Options, Ran
    from losslint.confirm.plan import Planned
    from losslint.session import Result

Output = tuple[str, "Path | None"]  # format, and the file for it
_SEVERITIES = ("info", "warning", "error")


class _CheckByDefault(click.Group):
    """``losslint src/`` means ``losslint check src/``; the name of a subcommand wins over a folder of that name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, "--help", "-h", "--version", "-V"):
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_CheckByDefault, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="losslint", message="%(prog)s %(version)s")
def cli() -> None:
    """Find the losses of TensorFlow and Keras code that train wrongly.

    `losslint src/` is the same as `losslint check src/`. Nothing that is linted is ever imported.
    """


# -- options that several commands share -----------------------------------------------------------------------------


def _listed(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[str] | None:
    """``--select LL4,LL302 --select LL101`` as one list; None where the option was not given."""
    return [v.strip() for value in values for v in value.split(",") if v.strip()] if values else None


def _per_file(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, list[str]] | None:
    """``tests/*:LL3,examples/*:LL4`` as a table from pattern to codes."""
    table: dict[str, list[str]] = {}
    for entry in _listed(ctx, parameter, values) or ():
        pattern, colon, selector = entry.rpartition(":")
        if not (colon and pattern and selector):
            raise click.BadParameter(f"{entry!r} does not look like PATTERN:CODE")
        table.setdefault(pattern.strip(), []).append(selector.strip())
    return table or None


def _configured(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which configuration holds and what the code is written for."""
    for option in (
        click.option("--tensorflow", metavar="VERSION", help="The TensorFlow version that is targeted, as 2.21."),
        click.option("--keras", type=click.Choice(["2", "3", "auto"]), help="The Keras the code is written for."),
        click.option("--isolated", is_flag=True, help="Ignore all configuration files."),
        click.option("--config", type=click.Path(path_type=Path), help="Use this configuration file and no other."),
    ):
        command = option(command)
    return command


def _resolver(config: Path | None, isolated: bool, **options: Any) -> Resolver:
    given = {key.replace("_", "-"): value for key, value in options.items() if value is not None}
    return Resolver(given, config, isolated)


@contextlib.contextmanager
def _mistakes() -> Iterator[None]:
    """A mistake in the configuration is one line and status 2, not a traceback."""
    try:
        yield
    except (ConfigurationError, rulebook.UnknownRule, NoCluster) as error:
        raise _Mistake(str(error)) from None


class _Mistake(click.ClickException):
    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"losslint: error: {self.format_message()}", file=file or sys.stderr)


def _say(kind: str, message: str) -> None:
    click.echo(f"losslint: {kind}: {message}", err=True)


def _wants_colour(file: IO[str]) -> bool:
    """Colour is for terminals, unless NO_COLOR is set; FORCE_COLOR asks for it anywhere."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (file.isatty() and os.environ.get("TERM") != "dumb")


def _running(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how losses are run."""
    for option in (
        click.option("--repro", is_flag=True, help="Print a script that shows the first confirmed finding by itself."),
        click.option(
            "--report",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Run them, and write their passports there, as HTML.",
        ),
        click.option(
            "--trust-refuted/--no-trust-refuted",
            default=True,
            help="Whether refuted findings leave the exit status alone.",
            show_default=True,
        ),
        click.option("--budget", type=click.FloatRange(min=0), metavar="SECONDS", help="Time for all losses together."),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            default=30.0,
            metavar="SECONDS",
            help="Time for one loss.",
            show_default=True,
        ),
        click.option(
            "--cluster", default="", metavar="ADDRESS", help="Work on the dask cluster there, as tcp://host:8786."
        ),
        click.option(
            "--device",
            default="auto",
            callback=_device,
            metavar="DEVICE",
            help="auto, cpu, gpu or gpu:N.",
            show_default=True,
        ),
    ):
        command = option(command)
    return command


def _device(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if value in ("auto", "cpu", "gpu") or (value.startswith("gpu:") and value[4:].isdigit()):
        return value
    raise click.BadParameter(f"{value!r} is none of auto, cpu, gpu and gpu:N")


def _outputs(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[Output]:
    """Which form goes where: one to the terminal, text unless told, and one to each file that is named."""
    shown: list[Output] = []
    written: list[Output] = []
    for value in values:
        form, equals, path = value.partition("=")
        form = ALIASES.get(form, form)
        if form not in FORMATS:
            known = (*FORMATS, *ALIASES)
            raise click.BadParameter(f"{form!r} is none of {', '.join(FORMATS)}{rulebook.hint(form, known)}")
        if equals and not path:
            raise click.BadParameter(f"{value!r} names no file")
        (written if equals else shown).append((form, Path(path) if equals else None))
    if len(shown) > 1:
        raise click.BadParameter("only one format can be shown: give the others a file, as in sarif=losslint.sarif")
    return [*(shown or [("text", None)]), *written]


# -- check -----------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--select", multiple=True, callback=_listed, metavar="RULES", help="Rules to look for: ALL, LL4, LL302 or a name."
)
@click.option("--ignore", multiple=True, callback=_listed, metavar="RULES", help="Rules to leave out.")
@click.option(
    "--extend-select", multiple=True, callback=_listed, metavar="RULES", help="Rules to add to those selected."
)
@click.option(
    "--per-file-ignores",
    multiple=True,
    callback=_per_file,
    metavar="PATTERN:RULE",
    help="Rules to leave out in some files.",
)
@click.option("--exclude", multiple=True, callback=_listed, metavar="PATTERNS", help="Files and folders to leave out.")
@click.option(
    "--extend-exclude",
    multiple=True,
    callback=_listed,
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
    callback=_outputs,
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
@_running
@_configured
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
    cluster: str,
    device: str,
    timeout: float,
    budget: float | None,
    trust_refuted: bool,
    report: Path | None,
    repro: bool,
    **options: Any,
) -> int:
    """Lint files and folders (the current folder where no PATHS are given; - for standard input)."""
    from losslint import session

    if add_ignore is not None and not add_ignore.strip():
        raise click.UsageError("--add-ignore wants a reason, as in --add-ignore 'the batch is fixed'")
    if add_ignore is not None and ("-" in paths or stdin_filename):
        raise click.UsageError("--add-ignore changes files: it cannot change standard input")
    runs = confirms or repro or report is not None
    if diff and runs:
        raise click.UsageError("--diff only shows changes: there is nothing to run")
    options |= {"fix": True} if diff else {}
    with _mistakes():
        resolver = _resolver(config, isolated, **options)
        paths = paths or (("-",) if stdin_filename else (".",))
        if show_files or show_settings:
            return _show(paths, resolver, force_exclude, show_settings)
        texts: dict[str, bytes] = {}
        if "-" in paths or stdin_filename:
            if set(paths) != {"-"}:
                raise click.UsageError("standard input and paths cannot be linted in one run")
            filename = stdin_filename or "-"
            texts[filename] = sys.stdin.buffer.read()
            result = _check_stdin(texts[filename], filename, resolver, force_exclude)
        else:
            # what runs are told of a finding is not kept
            folder = None if no_cache or runs else cache_dir or resolver.of(Path.cwd()).cache_folder
            result = session.check(
                paths, resolver, jobs=jobs, force_exclude=force_exclude, cache=folder, cluster=cluster
            )
        if diff:
            return _show_diff(result, exit_zero)
        piped = _make_fixes(result, texts, resolver)
        baseline = baseline or resolver.of(Path.cwd()).baseline
        if write_baseline:
            return _write_baseline(result, baseline)
        if baseline is not None:
            _hide_known(result, baseline, resolver)
        if add_ignore is not None:
            return _add_ignores(result, add_ignore)
    confirmation = None
    if runs:
        run_options = _run_options(device, timeout, budget, jobs, trust_refuted, cluster)
        confirmation = _confirm(result, resolver, run_options, texts, passports=report is not None)
    for warning in result.warnings:
        _say("warning", warning)
    for error in result.errors:
        _say("error", _with_hint(error, paths))
    if repro and confirmation is not None:
        return _print_repro(confirmation.ran, "--select")
    for form, file in outputs:
        _write(result, form, file or output_file, statistics and file is None, piped)
    if confirmation is not None and report is not None:
        _write_report(report, confirmation.ran, result)
    if confirmation is not None and confirmation.interrupted:
        return 130
    return 0 if exit_zero and result.status == 1 else result.status


def _run_options(
    device: str, timeout: float, budget: float | None, jobs: int, trust_refuted: bool, cluster: str
) -> Options:
    from losslint.confirm.confirming import Options

    return Options(device, timeout, budget, jobs, trust_refuted, cluster)


def _confirm(
    result: Result, resolver: Resolver, options: Options, texts: dict[str, bytes], passports: bool
) -> Confirmation:
    from losslint.confirm import confirming, progress

    try:
        with progress.bar(sys.stderr) as told:
            return confirming.confirm(result, resolver, options, texts, told, passports)
    except confirming.Unavailable as error:
        raise _Mistake(str(error)) from None


def _print_repro(ran: list[Ran], narrow: str) -> int:
    """Print the script of the first confirmed finding; the others are named on stderr."""
    from losslint.confirm import reproduce

    confirmed = reproduce.confirmed(ran)
    scripts = list(reproduce.scripts(confirmed))
    if not scripts:
        why = ""
        if confirmed:
            finding, verdict, one = confirmed[0]
            try:
                reproduce.written(finding, verdict, one)
            except reproduce.NoScript as error:
                why = f": of {finding.code} at row {finding.span.row}, {error}"
        _say("error", f"no finding was confirmed that a script can show{why}")
        return 2
    finding, script = scripts[0]
    click.echo(script, nl=False)
    _say("note", f"this shows {finding.code} at {finding.filename}:{finding.span.row}")
    for other, _ in scripts[1:]:
        _say("note", f"confirmed as well: {other.code} at {other.filename}:{other.span.row} (narrow with {narrow})")
    return 0


def _write_report(path: Path, ran: list[Ran], result: Result | None = None) -> None:
    from losslint.confirm import report

    findings, texts = (result.findings, result.texts) if result is not None else ((), {})
    try:
        path.write_text(report.html(ran, findings, texts), encoding="utf-8")
    except report.MissingExtra as error:
        raise _Mistake(str(error)) from None
    except OSError as error:
        raise _Mistake(f"cannot write {path}: {error.strerror}") from None


def _check_stdin(data: bytes, filename: str, resolver: Resolver, force_exclude: bool) -> Result:
    from losslint import discovery, session

    path = Path(os.path.abspath(filename))
    settings = resolver.of(path.parent)
    if force_exclude and discovery.is_excluded(path, settings):
        return session.Result()
    return session.check_text(data, filename, settings)


def _make_fixes(result: Result, texts: dict[str, bytes], resolver: Resolver) -> bool:
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


def _show_diff(result: Result, exit_zero: bool) -> int:
    """Print what fixes would change; status 1 if that is something."""
    from losslint import fixing
    from losslint.reporters.lines import counted, write

    for warning in result.warnings:
        _say("warning", warning)
    for error in result.errors:
        _say("error", error)
    styles = {"+": "green", "-": "red", "@": "cyan"}
    lines = ([(line, styles.get(line[:1], ""))] for change in result.changes for line in fixing.diff(change))
    write(lines, sys.stdout, _wants_colour(sys.stdout))
    hidden = sum(f.fix is not None and not result.offers(f) for f in result.findings)
    more = f" ({counted(hidden, 'hidden fix', 'hidden fixes')} can be enabled with --unsafe-fixes)" if hidden else ""
    click.echo(f"Would fix {counted(len(result.fixed), 'finding')}{more}", err=True)
    return 2 if result.errors else int(bool(result.changes) and not exit_zero)


def _with_hint(error: str, paths: Sequence[str]) -> str:
    """A mistyped subcommand is read as a path: say so."""
    mistyped = error.endswith(f" {paths[0]}") and os.sep not in paths[0]
    return error + rulebook.hint(paths[0], cli.commands) if mistyped else error


def _show(paths: Sequence[str], resolver: Resolver, force_exclude: bool, settings: bool) -> int:
    from losslint import discovery

    found = discovery.find(paths, resolver, force_exclude)
    for error in found.errors:
        _say("error", error)
    if settings and found.targets:
        click.echo(f"# {found.targets[0].filename}\n{found.targets[0].settings.describe()}")
    elif not settings:
        for target in found.targets:
            click.echo(target.filename)
    return 2 if found.errors else 0


def _write(result: Result, form: str, output_file: Path | None, statistics: bool, piped: bool = False) -> None:
    """Write the report; to standard error where standard output is ``piped`` on as source."""
    from losslint import reporters
    from losslint.reporters.lines import write

    lines = reporters.counts(result, form) if statistics else reporters.render(result, form)
    if output_file is None:
        stream = sys.stderr if piped else sys.stdout
        with contextlib.suppress(AttributeError):  # a name that the terminal's encoding lacks must not end the run
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        write(lines, stream, form in FOR_PEOPLE and _wants_colour(stream))
        return
    try:
        with open(output_file, "w", encoding="utf-8") as file:
            write(lines, file, colour=False)
    except OSError as error:
        raise _Mistake(f"cannot write {output_file}: {error.strerror}") from None


def _write_baseline(result: Result, path: Path | None) -> int:
    """List what was found in the baseline; status 0, unless an analysis failed."""
    from losslint import baseline
    from losslint.reporters.lines import counted

    if path is None:
        raise click.UsageError("--write-baseline writes the file that --baseline names: name it")
    for told in result.errors:
        _say("error", told)
    try:
        number = baseline.write(result, path)
    except baseline.BaselineError as error:
        raise _Mistake(str(error)) from None
    except OSError as error:
        raise _Mistake(f"cannot write {path}: {error.strerror}") from None
    click.echo(f"Wrote {counted(number, 'finding')} to {path}")
    return 2 if result.status == 2 else 0


def _hide_known(result: Result, path: Path, resolver: Resolver) -> None:
    """Take out what the baseline lists, and say what it need not list any more."""
    from losslint import baseline
    from losslint.reporters.lines import counted

    try:
        gone = baseline.hide(result, baseline.read(path), path, resolver)
    except baseline.BaselineError as error:
        raise _Mistake(str(error)) from None
    if gone:
        first = f"{gone[0].code} in {gone[0].function} of {gone[0].file}"
        told = f"{counted(len(gone), 'finding')} of {path} found no more ({first}{', ...' if len(gone) > 1 else ''})"
        _say("note", f"{told}: --write-baseline takes {'them' if len(gone) > 1 else 'it'} out")


def _add_ignores(result: Result, reason: str) -> int:
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
        _say("error", error)
    click.echo(f"Ignored {counted(number, 'finding')} in {counted(files, 'file')}")
    return 2 if result.status == 2 else 0


# -- server ----------------------------------------------------------------------------------------------------------


@cli.command()
def server() -> int:
    """Speak the Language Server Protocol on standard input and output, for editors."""
    try:
        from losslint.server import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise _Mistake("the language server needs pygls: pip install 'losslint[server]'") from None
    server().start_io()
    return 0


# -- facts -----------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("target", metavar="PATH[::NAME]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_configured
def facts(target: str, form: str, config: Path | None, isolated: bool, **options: Any) -> int:
    """Show what the analysis believes of the losses in PATH, or of the one called NAME."""
    from losslint import believed

    path, separator, name = target.rpartition("::")
    if not separator:
        path, name = target, ""
    with _mistakes():
        settings = _resolver(config, isolated, **options).of_file(path)
        try:
            found = believed.passports(path, name, settings)
        except believed.NotFound as error:
            raise _Mistake(str(error)) from None
    for failure in found.failures:
        _say("warning", failure)
    if form == "json":
        import json

        click.echo(json.dumps(found.passports, indent=2))
    else:
        click.echo("\n\n".join(found.texts) if found.texts else f"No losses in {path}")
    return 2 if found.failures else 0


# -- confirm ---------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("targets", metavar="PATH[::NAME]...", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--jobs", "-j", type=click.IntRange(min=0), default=0, help="Losses at a time; 0 for one a processor.")
@_running
@_configured
def confirm(
    targets: tuple[str, ...],
    form: str,
    jobs: int,
    cluster: str,
    device: str,
    timeout: float,
    budget: float | None,
    trust_refuted: bool,
    report: Path | None,
    repro: bool,
    config: Path | None,
    isolated: bool,
    **options: Any,
) -> int:
    """Run the losses in PATH, or the one called NAME, and print the passport of each: what every probe saw."""
    from losslint.believed import NotFound
    from losslint.confirm import confirming, passport, progress

    with _mistakes():
        resolver = _resolver(config, isolated, **options)
        try:
            planned = _planned(targets, resolver, curves=report is not None)
        except NotFound as error:
            raise _Mistake(str(error)) from None
    ran: list[Ran] = []
    interrupted = False
    run_options = _run_options(device, timeout, budget, jobs, trust_refuted, cluster)
    try:
        with progress.bar(sys.stderr) as told:
            for one in confirming.run(planned, run_options, told):
                ran.append(one)  # what is known when it is interrupted
    except confirming.Unavailable as error:
        raise _Mistake(str(error)) from None
    except KeyboardInterrupt:
        interrupted = True
    order = {id(p): i for i, p in enumerate(planned)}
    ran.sort(key=lambda r: order[id(r.planned)])
    if repro:
        return _print_repro(ran, "::NAME")
    if form == "json":
        import json

        click.echo(json.dumps([passport.to_json(r) for r in ran], indent=2))
    else:
        click.echo("\n\n".join(map(passport.render, ran)) if ran else f"No losses in {', '.join(targets)}")
        _say_limits(ran)
    if report is not None:
        _write_report(report, ran)
    if interrupted:
        return 130
    return int(any(confirming.stands(r, resolver, trust_refuted) for r in ran))


def _planned(targets: Sequence[str], resolver: Resolver, curves: bool) -> list[Planned]:
    """The losses of files, of the files in folders, and single ones by name. Raises NotFound.

    Only a report draws ``curves``.
    """
    from losslint import discovery
    from losslint.believed import NotFound
    from losslint.confirm import plan

    planned: list[Planned] = []
    for target in targets:
        path, separator, name = target.rpartition("::")
        if not separator:
            path, name = target, ""
        files = [path]
        if os.path.isdir(path) and not name:
            found = discovery.find([path], resolver, False)
            files = [t.filename for t in found.targets]
        for file in files:
            settings = resolver.of_file(file)
            try:
                planned += plan.for_path(file, name, settings, curves)
            except NotFound as error:
                if len(files) == 1:
                    raise
                _say("warning", str(error))  # one file of a folder
    return planned


def _say_limits(ran: list[Ran]) -> None:
    enforced = {k: v for r in ran for k, v in r.outcome.enforced.items()}
    if enforced:
        click.echo(f"\nRun with these limits: {'; '.join(f'{k}: {v}' for k, v in sorted(enforced.items()))}")


# -- the rules -------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("rule")
def explain(rule: str) -> int:
    """Print the page of RULE, a code or a name."""
    with _mistakes():
        page = rulebook.find(rule).page
    if _wants_colour(sys.stdout):
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(page))
    else:
        click.echo(page, nl=False)
    return 0


@cli.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def rules(form: str) -> int:
    """List the rules."""
    known = rulebook.rules().values()
    if form == "json":
        import json

        click.echo(json.dumps([rule.to_json() for rule in known], indent=2))
        return 0
    longest = max((len(rule.name) for rule in known), default=0)
    for rule in known:
        levels = "/".join(s.name[0] for s in rule.severities)
        click.echo(f"{rule.code}  {rule.name:<{longest}}  {levels:<5}  {rule.summary}")
    return 0


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 clean, 1 findings, 2 wrong usage, configuration or an internal error."""
    try:
        status = cli.main(arguments, standalone_mode=False)
        if not sys.stdout.closed:  # the language server closes it
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        status = 2
    except (PluginError, rulebook.NoPages) as error:
        _say("error", str(error))
        status = 2
    except (click.Abort, KeyboardInterrupt):
        status = 130
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 2
    except Exception:
        import traceback

        traceback.print_exc()
        _say("error", "this is a bug in losslint; the message above says where")
        status = 2
    sys.exit(status if isinstance(status, int) else 0)
