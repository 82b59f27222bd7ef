"""The rules, as their pages define them, and the selectors that name them: ALL, LL4, LL401, a rule's name."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from losslint import plugins
from losslint.findings import Severity

PAGES_URL = "https://github.com/losslint/losslint/blob/main/rules/"
_FENCE = "+++\n"
_REQUIRED = ("code", "name", "severity", "family", "summary", "probe", "fix", "added")
_OPTIONAL = ("url",)
_PLAIN_LINE = r'(\w+) = (?:"([^"\\]*)"|\[((?:"[^"\\]*"(?:, )?)*)\])'
_CODE = r"([A-Z]{2,})(\d*)"


class PageError(ValueError):
    """A rule's page does not hold what it must."""


class NoPages(RuntimeError):
    """The pages of losslint's own rules are not there: the installation is not whole."""


class UnknownRule(ValueError):
    """A selector that no rule answers to."""


class Rule(NamedTuple):
    """One rule; ``severities`` are the ones it can speak with, worst first, ``page`` is Markdown."""

    code: str
    name: str
    severities: tuple[Severity, ...]
    family: str
    summary: str
    probe: str  # the run that decides it; "" where none can
    fix: str  # "none", "safe" or "unsafe"
    added: str  # the version that brought it
    page: str
    url: str = ""  # where the page can be read

    @property
    def severity(self) -> Severity:
        """The worst it can say."""
        return max(self.severities)

    def to_json(self) -> dict[str, Any]:
        """What ``losslint rules --format json`` says of it."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity.label,
            "severities": [s.label for s in self.severities],
            "family": self.family,
            "summary": self.summary,
            "fixable": self.fix,
            "probe": self.probe,
            "added": self.added,
            "url": self.url,
        }


def parse_page(text: str, where: str) -> Rule:
    """The rule that a page defines: TOML between two +++ lines, then Markdown. Raises PageError with ``where``."""
    text = text.replace("\r\n", "\n")
    _, fence, rest = text.partition(_FENCE)
    head, second, page = rest.partition("\n" + _FENCE)
    if not fence or not second:
        raise PageError(f"{where}: the page does not start with front matter between two +++ lines")
    values = _values(head, where)
    missing = [key for key in _REQUIRED if key not in values]
    if missing:
        raise PageError(f"{where}: the front matter lacks {', '.join(missing)}")
    levels = values["severity"]
    try:
        severities = {Severity[level.upper()] for level in ([levels] if isinstance(levels, str) else levels)}
    except (KeyError, AttributeError):
        raise PageError(f"{where}: severity is made of error, warning and info, not {levels!r}") from None
    if not severities:
        raise PageError(f"{where}: no severity")
    rest_of_it = {key: values[key] for key in (*_REQUIRED, *_OPTIONAL) if key != "severity" and key in values}
    return Rule(severities=tuple(sorted(severities, reverse=True)), page=page.strip() + "\n", **rest_of_it)


def _values(head: str, where: str) -> dict[str, Any]:
    """The front matter. Plain lines are read here: every run reads all pages, and TOML takes ten times as long."""
    lines = head.split("\n")
    plain = [re.fullmatch(_PLAIN_LINE, line) for line in lines]
    if all(plain):
        found: dict[str, Any] = {}
        for match in plain:
            assert match is not None
            key, text, listed = match.groups()
            found[key] = text if listed is None else re.findall(r'"([^"]*)"', listed)
        if len(found) == len(lines):
            return found
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise PageError(f"{where}: {error}") from None


def pages_folder() -> Path:
    """The folder of the pages: package data in a wheel, ``rules/`` beside the package in a checkout."""
    here = Path(__file__).parent
    packaged = here / "rules"
    return packaged if packaged.is_dir() else here.parent / "rules"


def demand() -> None:
    """Raise what ``rules`` raises; without reading losslint's own pages, which a file without a loss does not need."""
    if plugins.plugins() or next(pages_folder().glob("LL*.md"), None) is None:
        rules()


@functools.cache
def rules() -> dict[str, Rule]:
    """Code -> rule, losslint's own first, then those of other packages, in the order of the codes.

    Raises NoPages where losslint's own are missing, PageError where two pages claim the same code or name, PluginError
    where a page of another package does not hold what it must.
    """
    found: dict[str, Rule] = {}
    pages = sorted(pages_folder().glob("LL*.md"))
    if not pages:
        raise NoPages(
            f"the pages that define the rules are missing from {pages_folder()}, and nothing would be reported: "
            "install losslint with pip, or copy its folder rules along with the package"
        )
    for path in pages:
        rule = parse_page(path.read_text(encoding="utf-8"), path.name)
        _add(found, rule._replace(url=f"{PAGES_URL}{rule.code}.md"), path.name)
    others: dict[str, Rule] = {}
    for origin, path in plugins.pages():
        try:
            rule = parse_page(path.read_text(encoding="utf-8"), str(path))
            if not re.fullmatch(plugins.CODE, rule.code):
                raise PageError(f"{path}: {rule.code!r} is not made of capitals, LL excepted, and three digits")
            _add(others, rule, str(path), found)
        except (PageError, OSError, UnicodeDecodeError) as error:
            raise plugins.PluginError(f"the rules {origin} cannot be used: {error}") from None
    return dict(sorted(found.items())) | dict(sorted(others.items()))


def _add(rules: dict[str, Rule], rule: Rule, where: str, others: dict[str, Rule] | None = None) -> None:
    known = [*rules.values(), *(others or {}).values()]
    if any(rule.code == k.code or rule.name == k.name for k in known):
        raise PageError(f"{where}: {rule.code} ({rule.name}) is defined by another page as well")
    rules[rule.code] = rule


@functools.cache
def codes_by_name() -> dict[str, str]:
    """Name -> code."""
    return {rule.name: code for code, rule in rules().items()}


def name_of(code: str) -> str:
    """The name of rule ``code``; "" where it has no page."""
    rule = rules().get(code)
    return rule.name if rule else ""


def find(code_or_name: str) -> Rule:
    """The one rule of that code or name. Raises UnknownRule, naming the nearest."""
    code = codes_by_name().get(code_or_name, code_or_name)
    if code not in rules():
        raise UnknownRule(f"there is no rule {code_or_name!r}{_way_out(code_or_name, _words())}")
    return rules()[code]


def resolve(selector: str) -> frozenset[str]:
    """The codes of ``selector``: ALL, LL, a prefix, a code or a name. Raises UnknownRule, naming the nearest.

    A prefix holds all letters of a code: the rules of another package that start with "L" are not those of "LL".
    """
    if selector == "ALL":
        return frozenset(rules())
    if selector in codes_by_name():
        return frozenset({codes_by_name()[selector]})
    letters = _letters(selector)
    codes = frozenset(c for c in rules() if c.startswith(selector) and letters == _letters(c) != "")
    if not codes:
        raise UnknownRule(f"no rule answers to {selector!r}{_way_out(selector, [*_words(), *_prefixes(), 'ALL'])}")
    return codes


def specificity(selector: str) -> int:
    """How narrow a selector is: 0 for ALL, 2 for LL, up to 5 for a code or a name. The narrower one wins."""
    if selector == "ALL":
        return 0
    return 5 if selector in codes_by_name() else 2 + len(selector) - len(_letters(selector))


def _letters(selector: str) -> str:
    """The letters a code or a prefix starts with; "" where it is neither."""
    match = re.fullmatch(_CODE, selector)
    return match[1] if match else ""


def hint(word: str, known: Iterable[str]) -> str:
    """``; did you mean "..."?`` with the nearest known word, or nothing where none is near."""
    near = nearest(word, known)
    return f'; did you mean "{near}"?' if near else ""


def _way_out(word: str, known: Iterable[str]) -> str:
    return hint(word, known) or "; losslint rules lists them"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like ``word``, letter case aside; None where none is near."""
    import difflib

    lowered = {k.lower(): k for k in known}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def _words() -> list[str]:
    return [*rules(), *codes_by_name()]


def _prefixes() -> list[str]:
    return sorted({code[: len(_letters(code)) + digits] for code in rules() for digits in (0, 1)})
