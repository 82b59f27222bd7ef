"""The command line: one module a command, or a few that are alike."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import click

from losslint import __version__, collector
from losslint.cli.telling import say
from losslint.plugins import PluginError
from losslint.rulebook import NoPages

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS = {
    "check": "checking",
    "confirm": "confirming",
    "facts": "looking",
    "rules": "looking",
    "explain": "looking",
    "config": "looking",
    "server": "looking",
}
"""The module of each command, imported when the command is called or listed."""


class _CheckByDefault(click.Group):
    """``losslint src/`` means ``losslint check src/``; the name of a subcommand wins over a folder of that name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        completes = ctx.resilient_parsing and not args  # what is typed may become either
        if not completes and (not args or args[0] not in (*_COMMANDS, "--help", "-h", "--version", "-V")):
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, as they are shown."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        return _command(cmd_name) if cmd_name in _COMMANDS else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Subcommands, and what may follow ``check``: its options, or files."""
        from click.shell_completion import CompletionItem

        commands = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            check = _command("check")
            inner = click.Context(check, ctx, "check", resilient_parsing=True)
            return [*commands, *check.shell_complete(inner, incomplete)]
        return [CompletionItem(incomplete, type="file"), *commands]  # in this order for bash


def _command(name: str) -> click.Command:
    command: click.Command = getattr(importlib.import_module(f"{__name__}.{_COMMANDS[name]}"), name)
    return command


def commands() -> dict[str, click.Command]:
    """All commands by their names."""
    return {name: _command(name) for name in _COMMANDS}


@click.group(cls=_CheckByDefault, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="losslint", message="%(prog)s %(version)s")
def cli() -> None:
    """Find the losses of TensorFlow and Keras code that train wrongly.

    `losslint src/` is the same as `losslint check src/`. Nothing that is linted is ever imported.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 clean, 1 findings, 2 wrong usage, configuration or an internal error."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a name that the encoding lacks must not end the run
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        os.getcwd()
    except OSError:
        say("error", "the current folder is gone: run losslint in one that is there")
        sys.exit(2)
    try:
        with collector.patient():
            status = cli.main(arguments, standalone_mode=False)
        if not sys.stdout.closed:  # the language server closes it
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        status = 2
    except (PluginError, NoPages) as error:
        say("error", str(error))
        status = 2
    except (click.Abort, KeyboardInterrupt):
        status = 130
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 2
    except Exception:
        import traceback

        traceback.print_exc()
        say("error", "this is a bug in losslint; the message above says where")
        status = 2
    collector.leave()
    sys.exit(status if isinstance(status, int) else 0)
