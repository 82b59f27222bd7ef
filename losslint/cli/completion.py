"""What a shell offers behind an option: rules, formats, and what else the command line knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from losslint import rulebook
from losslint.reporters import FORMATS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def rules(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes, or names where one was begun, of which there may be a list: ``LL401,LL3`` goes on behind the comma."""
    before, comma, begun = incomplete.rpartition(",")
    known = rulebook.rules().values()
    found = [(rule.code, f"{rule.name}: {rule.summary}") for rule in known if rule.code.startswith(begun.upper())]
    if begun:
        found += [(rule.name, rule.summary) for rule in known if rule.name.startswith(begun.lower())]
    if "ALL".startswith(begun.upper()) and isinstance(parameter, click.Option):
        found.insert(0, ("ALL", "All rules"))
    return [_item(f"{before}{comma}{name}", help=told) for name, told in found]


def formats(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The formats of the output."""
    return [_item(name) for name in FORMATS if name.startswith(incomplete)]


def devices(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The devices that can be named without looking for them."""
    return [_item(name) for name in ("auto", "cpu", "gpu", "gpu:0") if name.startswith(incomplete)]


def keys(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The keys of the configuration."""
    from losslint.keys import KEYS

    return [_item(key.name, help=key.about) for key in KEYS if key.name.startswith(incomplete)]


def _item(value: str, help: str | None = None) -> CompletionItem:
    from click.shell_completion import CompletionItem  # only a shell that completes needs it

    return CompletionItem(value, help=help)
