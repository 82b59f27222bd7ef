"""``losslint confirm``, and what it shares with ``losslint check --confirm``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from losslint import progress
from losslint.cli.options import Running, configured, resolver_of, running
from losslint.cli.telling import Mistake, mistakes, say, unwritable
from losslint.settings import Resolver

if TYPE_CHECKING:
    from losslint.confirm.confirming import Confirmation, Options, Ran
    from losslint.confirm.plan import Planned
    from losslint.session import Result


@click.command()
@click.argument("targets", metavar="PATH[::NAME]...", nargs=-1, required=True, type=click.Path())
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--jobs", "-j", type=click.IntRange(min=0), default=0, help="Losses at a time; 0 for one a processor.")
@running
@configured
def confirm(
    targets: tuple[str, ...],
    form: str,
    jobs: int,
    how: Running,
    config: Path | None,
    isolated: bool,
    **options: Any,
) -> int:
    """Run the losses in PATH, or the one called NAME, and print the passport of each: what every probe saw."""
    from losslint.believed import NotFound
    from losslint.confirm import confirming, passport

    with mistakes():
        resolver = resolver_of(config, isolated, **options)
        try:
            planned = _planned(targets, resolver, curves=how.report is not None)
        except NotFound as error:
            raise Mistake(str(error)) from None
    ran: list[Ran] = []
    interrupted = False
    try:
        with progress.bar(sys.stderr, "Running losses", how.progress, patience=0) as told:
            for one in confirming.run(planned, _options(how, jobs), told):
                ran.append(one)  # what is known when it is interrupted
    except confirming.Unavailable as error:
        raise Mistake(str(error)) from None
    except KeyboardInterrupt:
        interrupted = True
    order = {id(p): i for i, p in enumerate(planned)}
    ran.sort(key=lambda r: order[id(r.planned)])
    if how.repro:
        return print_repro(ran, "::NAME")
    if form == "json":
        import json

        click.echo(json.dumps([passport.to_json(r) for r in ran], indent=2))
    else:
        click.echo("\n\n".join(map(passport.render, ran)) if ran else f"No losses in {', '.join(targets)}")
        _say_limits(ran)
    if how.report is not None:
        write_report(how.report, ran)
    if interrupted:
        return 130
    return int(any(confirming.stands(r, resolver, how.trust_refuted) for r in ran))


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
                say("warning", str(error))  # one file of a folder
    return planned


def _say_limits(ran: list[Ran]) -> None:
    enforced = {k: v for r in ran for k, v in r.outcome.enforced.items()}
    if enforced:
        click.echo(f"\nRun with these limits: {'; '.join(f'{k}: {v}' for k, v in sorted(enforced.items()))}")


def _options(how: Running, jobs: int) -> Options:
    from losslint.confirm.confirming import Options

    return Options(how.device, how.timeout, how.budget, jobs, how.trust_refuted, how.cluster)


def confirmed(result: Result, resolver: Resolver, how: Running, jobs: int, texts: dict[str, bytes]) -> Confirmation:
    """Run what was found, which gives the findings of ``result`` their verdicts.

    Where nothing can be run that is an error of the run, and the findings stand as they were.
    """
    from losslint.confirm import confirming

    try:
        with progress.bar(sys.stderr, "Running losses", how.progress, patience=0) as told:
            options, passports = _options(how, jobs), how.report is not None
            return confirming.confirm(result, resolver, options, texts, told, passports)
    except confirming.Unavailable as error:
        result.errors.append(str(error))
        return confirming.Confirmation()


def print_repro(ran: list[Ran], narrow: str) -> int:
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
        say("error", f"no finding was confirmed that a script can show{why}")
        return 2
    finding, script = scripts[0]
    click.echo(script, nl=False)
    say("note", f"this shows {finding.code} at {finding.filename}:{finding.span.row}")
    for other, _ in scripts[1:]:
        say("note", f"confirmed as well: {other.code} at {other.filename}:{other.span.row} (narrow with {narrow})")
    return 0


def write_report(path: Path, ran: list[Ran], result: Result | None = None) -> None:
    """Write the page on ``ran``, and on what else is in ``result``. Raises Mistake."""
    from losslint.confirm import report

    findings, texts = (result.findings, result.texts) if result is not None else ((), {})
    try:
        path.write_text(report.html(ran, findings, texts), encoding="utf-8")
    except report.MissingExtra as error:
        raise Mistake(str(error)) from None
    except OSError as error:
        raise unwritable(path, error) from None
