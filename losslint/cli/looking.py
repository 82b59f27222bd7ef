"""The commands that change and run nothing: ``facts``, ``explain``, ``rules``, ``config``; and the language server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from losslint import rulebook
from losslint.cli import completion
from losslint.cli.options import configured, resolver_of
from losslint.cli.telling import Mistake, mistakes, say, wants_colour


@click.command()
@click.argument("target", metavar="PATH[::NAME]", type=click.Path())
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@configured
def facts(target: str, form: str, config: Path | None, isolated: bool, **options: Any) -> int:
    """Show what the analysis believes of the losses in PATH, or of the one called NAME."""
    from losslint import believed

    path, separator, name = target.rpartition("::")
    if not separator:
        path, name = target, ""
    with mistakes():
        settings = resolver_of(config, isolated, **options).of_file(path)
        try:
            found = believed.passports(path, name, settings)
        except believed.NotFound as error:
            raise Mistake(str(error)) from None
    for failure in found.failures:
        say("warning", failure)
    if form == "json":
        import json

        click.echo(json.dumps(found.passports, indent=2))
    else:
        click.echo("\n\n".join(found.texts) if found.texts else f"No losses in {path}")
    return 2 if found.failures else 0


@click.command()
@click.argument("rule", shell_complete=completion.rules)
def explain(rule: str) -> int:
    """Print the page of RULE, a code or a name."""
    with mistakes():
        page = rulebook.find(rule).page
    if wants_colour(sys.stdout):
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(page))
    else:
        click.echo(page, nl=False)
    return 0


@click.command()
@click.argument("selectors", metavar="[RULES]...", nargs=-1, shell_complete=completion.rules)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def rules(selectors: tuple[str, ...], form: str) -> int:
    """List the rules, or those that RULES select: LL4, LL302 or a name."""
    with mistakes():
        chosen = frozenset().union(*map(rulebook.resolve, selectors or ("ALL",)))
    known = [rule for code, rule in rulebook.rules().items() if code in chosen]
    if form == "json":
        import json

        click.echo(json.dumps([rule.to_json() for rule in known], indent=2))
        return 0
    longest = max((len(rule.name) for rule in known), default=0)
    for rule in known:
        levels = "/".join(s.name[0] for s in rule.severities)
        click.echo(f"{rule.code}  {rule.name:<{longest}}  {levels:<5}  {rule.summary}")
    return 0


@click.command()
@click.argument("key", required=False, shell_complete=completion.keys)
def config(key: str | None) -> int:
    """Say what KEY of the configuration means, or list all keys."""
    from losslint import keys

    known = keys.by_name()
    if key is None:
        longest = max(map(len, known))
        for one in keys.KEYS:
            click.echo(f"{one.name:<{longest}}  {one.about}")
        return 0
    if key not in known:
        way = rulebook.hint(key, known) or "; losslint config lists them"
        raise Mistake(f"there is no key {key!r}{way}")
    one = known[key]
    click.echo(f"{one.about}\n\nDefault value: {one.default}\nType: {one.kind}\n\nExample:\n\n{one.example}")
    return 0


@click.command()
def server() -> int:
    """Speak the Language Server Protocol on standard input and output, for editors."""
    try:
        from losslint.server import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise Mistake("the language server needs pygls: pip install 'losslint[server]'") from None
    server().start_io()
    return 0
