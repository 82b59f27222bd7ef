"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from losslint import rulebook
from losslint.cli import completion
from losslint.reporters import ALIASES, FORMATS
from losslint.settings import Resolver


class Running(NamedTuple):
    """How losses are run: the options of ``running``."""

    device: str
    timeout: float  # seconds for one loss
    budget: float | None  # and for all of them
    trust_refuted: bool
    cluster: str  # its address
    report: Path | None
    repro: bool
    progress: bool


Output = tuple[str, "Path | None"]  # format, and the file for it


def listed(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[str] | None:
    """``--select LL4,LL302 --select LL101`` as one list; None where the option was not given."""
    return [v.strip() for value in values for v in value.split(",") if v.strip()] if values else None


def per_file(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, list[str]] | None:
    """``tests/*:LL3,examples/*:LL4`` as a table from pattern to codes."""
    table: dict[str, list[str]] = {}
    for entry in listed(ctx, parameter, values) or ():
        pattern, colon, selector = entry.rpartition(":")
        if not (colon and pattern and selector):
            raise click.BadParameter(f"{entry!r} does not look like PATTERN:CODE, as in tests/*:LL3")
        table.setdefault(pattern.strip(), []).append(selector.strip())
    return table or None


def configured(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which configuration holds and what the code is written for."""
    for option in (
        click.option("--tensorflow", metavar="VERSION", help="The TensorFlow version that is targeted, as 2.21."),
        click.option("--keras", type=click.Choice(["2", "3", "auto"]), help="The Keras the code is written for."),
        click.option("--isolated", is_flag=True, help="Ignore all configuration files."),
        click.option("--config", type=click.Path(path_type=Path), help="Use this configuration file and no other."),
    ):
        command = option(command)
    return command


def resolver_of(config: Path | None, isolated: bool, **options: Any) -> Resolver:
    """The settings, with ``options`` of the command line on top."""
    given = {key.replace("_", "-"): value for key, value in options.items() if value is not None}
    return Resolver(given, config, isolated)


def running(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how losses are run, which ``command`` is given as one ``Running`` called ``how``."""

    @functools.wraps(command)
    def collected(**values: Any) -> Any:
        how = Running(**{name: values.pop(name) for name in Running._fields})
        return command(how=how, **values)

    wrapped: Callable[..., Any] = collected
    for option in (
        click.option(
            "--progress/--no-progress", default=True, help="Whether a terminal shows how far it is.", show_default=True
        ),
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
            shell_complete=completion.devices,
            metavar="DEVICE",
            help="auto, cpu, gpu or gpu:N.",
            show_default=True,
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


def _device(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if value in ("auto", "cpu", "gpu") or (value.startswith("gpu:") and value[4:].isdigit()):
        return value
    raise click.BadParameter(f"{value!r} is none of auto, cpu, gpu and gpu:N")


def outputs_of(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[Output]:
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
            raise click.BadParameter(f"{value!r} names no file: write {form}=FILE")
        (written if equals else shown).append((form, Path(path) if equals else None))
    if len(shown) > 1:
        raise click.BadParameter("only one format can be shown: give the others a file, as in sarif=losslint.sarif")
    return [*(shown or [("text", None)]), *written]
