"""Hooks of mkdocs: the pages that are made from the rules and from the command line, and links out of docs/.

``mkdocs build --strict`` needs the package beside it; nothing of what is made here is written into docs/.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from losslint import rulebook
from losslint.cli import cli, commands
from losslint.keys import KEYS, Key
from losslint.rulebook import Rule

_SOURCE = "https://github.com/losslint/losslint/blob/main/"
_HERE = Path(__file__).parent.parent
_OUTSIDE = re.compile(r"\]\(\.\./(?!rules/)([^)]+)\)")
_RULES = re.compile(r"\]\(\.\./rules/")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each rule, their index, the options of the command line, and what was measured."""
    rules = [rule for code, rule in rulebook.rules().items() if code.startswith("LL")]
    made = {"rules/index.md": "\n".join(_index(rules)), "command-line.md": "\n".join(_commands())}
    made["results.md"] = (_HERE / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    made |= {f"rules/{rule.code}.md": _page(rule) for rule in rules}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Links to what is no page lead to the repository, those to rules to their pages here; keys are told in full."""
    if page.file.src_uri == "configuration.md":
        markdown += "\n\n## All keys\n\n" + "\n".join(map(_key, KEYS))
    markdown = markdown.replace("](../benchmarks/RESULTS.md", "](results.md")
    markdown = _RULES.sub("](rules/", markdown).replace("](rules/)", "](rules/index.md)")
    return _OUTSIDE.sub(rf"]({_SOURCE}\1)", markdown)


def _page(rule: Rule) -> str:
    facts = [
        f"severity {' or '.join(s.label for s in rule.severities)}",
        f"decided by the probe `{rule.probe}`" if rule.probe else "decided by no probe",
        f"{rule.fix} fix" if rule.fix != "none" else "no fix",
        f"since {rule.added}",
    ]
    title, _, rest = rule.page.partition("\n")
    return f"{title}\n\n*{rule.summary}: {', '.join(facts)}.*\n{rest.replace('](../docs/', '](../')}"


def _index(rules: list[Rule]) -> Iterator[str]:
    yield "# Rules\n"
    yield "`losslint explain CODE` prints a rule's page, `losslint rules` this list. Any rule can be turned off,"
    yield "or given another severity: see the [configuration](../configuration.md).\n"
    for family, members in itertools.groupby(rules, key=lambda rule: rule.family):
        yield f"\n## {family.capitalize()}\n"
        yield "| code | name | finds | severity | fix |\n| --- | --- | --- | --- | --- |"
        for rule in members:
            levels = ", ".join(s.label for s in rule.severities)
            fix = "" if rule.fix == "none" else rule.fix
            yield f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.summary} | {levels} | {fix} |"


def _key(key: Key) -> str:
    option = f"--{key.name}"
    options = {o for p in commands()["check"].params for o in p.opts}
    told = f" Option: `{option}`." if option in options else ""
    example = key.example if key.example.startswith("[") else f"[tool.losslint]\n{key.example}"
    facts = f"Default: `{key.default}`. Type: {key.kind}.{told}"
    return f"### {key.name}\n\n{key.about}\n\n{facts}\n\n```toml\n{example}\n```\n"


def _commands() -> Iterator[str]:
    """The help texts, as the terminal shows them."""
    yield "# Command line\n"
    context = click.Context(cli, info_name="losslint", max_content_width=100, terminal_width=100)
    yield f"```text\n{cli.get_help(context)}\n```\n"
    for name, command in sorted(commands().items()):
        inner = click.Context(command, info_name=name, parent=context, max_content_width=100, terminal_width=100)
        yield f"## losslint {name}\n\n```text\n{command.get_help(inner)}\n```\n"
