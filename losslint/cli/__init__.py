"""The command line: one module a command, or a few that are alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from losslint import __version__, collector
from losslint.cli import checking, confirming, looking
from losslint.cli.telling import say
from losslint.plugins import PluginError
from losslint.rulebook import NoPages


class _CheckByDefault(click.Group):
    """``losslint src/`` means ``losslint check src/``; the name of a subcommand wins over a folder of that name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        completes = ctx.resilient_parsing and not args  # what is typed may become either
        if not completes and (not args or args[0] not in (*self.commands, "--help", "-h", "--version", "-V")):
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Subcommands, and what may follow ``check``: its options, or files."""
        commands = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            inner = click.Context(self.commands["check"], ctx, "check", resilient_parsing=True)
            return [*commands, *self.commands["check"].shell_complete(inner, incomplete)]
        return [CompletionItem(incomplete, type="file"), *commands]  # in this order for bash


@click.group(cls=_CheckByDefault, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="losslint", message="%(prog)s %(version)s")
def cli() -> None:
    """Find the losses of TensorFlow and Keras code that train wrongly.

    `losslint src/` is the same as `losslint check src/`. Nothing that is linted is ever imported.
    """


for _command in (
    checking.check,
    confirming.confirm,
    looking.facts,
    looking.rules,
    looking.explain,
    looking.config,
    looking.server,
):
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 clean, 1 findings, 2 wrong usage, configuration or an internal error."""
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
