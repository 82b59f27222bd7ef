"""What the documents show and name is what there is."""

import re
import shlex
import sys

import click
import pytest

from losslint.cli import commands
from scripts import pictures
from tests.rule_pages import PAGES, ROOT, read

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCUMENTS = sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
HOOKS = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
SUBCOMMANDS = {name: {o for p in c.params for o in (*p.opts, *p.secondary_opts)} for name, c in commands().items()}
ELSEWHERE = {"--strict", "--nthreads", "--resources"}  # of mypy and dask


def test_the_picture_in_the_readme_shows_what_losslint_prints() -> None:
    assert "(docs/terminal.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")
    picture = pictures.TERMINAL.read_text(encoding="utf-8")
    output = pictures.printed()
    assert "LL201" in output and "\x1b[" in output  # in colour
    now = pictures.text_of(pictures.terminal(output))
    assert pictures.text_of(picture) == now, "draw it again: python scripts/pictures.py"
    assert "url(" not in picture.replace("url(#", "")  # nothing is fetched


def test_pictures_are_small() -> None:
    for picture in (pictures.TERMINAL, pictures.REPORT):
        assert picture.stat().st_size < 200_000


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    document = ROOT / name
    links = re.findall(r"\]\((?!https?:)([^)]+)", document.read_text(encoding="utf-8"))
    for link in links:
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8")), link


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_stands_in_the_tree_is_called_by_its_name(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:losslint|tests|rules|fixtures|benchmarks|docs)/[\w./-]*)`", text)
    assert [path for path in paths if "nnn" not in path and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_options_exist(name: str) -> None:
    """Every option that is named is one of some subcommand, and those of a command that is shown are its own."""
    text = (ROOT / name).read_text(encoding="utf-8")
    known = set().union(*SUBCOMMANDS.values()) | ELSEWHERE | {"--help", "--version"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - known == set()
    for shown in _shown(text):
        words = shlex.split(shown.replace("\n", " "), comments=True)[1:]
        command = words[0] if words and words[0] in SUBCOMMANDS else "check"
        options = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
        assert options <= SUBCOMMANDS[command], shown


def _shown(text: str) -> list[str]:
    """The commands of a document: in backticks, or as a line of a block."""
    parts = re.split(r"^```.*$", text, flags=re.MULTILINE)  # prose, block, prose, ...
    prose, blocks = "".join(parts[::2]), "".join(parts[1::2])
    return [*re.findall(r"`(losslint [^`]+)`", prose), *re.findall(r"^(losslint .*)$", blocks, re.MULTILINE)]


def test_options_with_a_default_are_told_with_it() -> None:
    text = (ROOT / "docs/confirming.md").read_text(encoding="utf-8")
    defaults = {p.opts[0]: p.default for p in commands()["check"].params if isinstance(p, click.Option)}
    assert f"`--timeout {defaults['--timeout']:g}`" in text and f"`--device {defaults['--device']}`" in text
    table = set(re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE))
    assert {"--device", "--timeout", "--budget", "--no-trust-refuted", "--report", "--repro"} <= table


def test_the_kinds_of_inputs_are_all_told() -> None:
    inputs = pytest.importorskip("losslint.confirm.inputs", reason="needs NumPy")
    text = (ROOT / "docs/confirming.md").read_text(encoding="utf-8")
    table = text.split("| kind | values |", 1)[1].split("\n\n", 1)[0]
    told = {kind for row in table.splitlines() for kind in re.findall(r"`(\w+)`", row.split("|")[1] if row else "")}
    assert told == {*inputs.DOMAINS, *inputs._DTYPES}


def test_every_page_of_a_rule_with_a_probe_says_how_a_run_decides_it() -> None:
    pages = {page.path: page.meta["probe"] for page in map(read, PAGES)}
    for path, probe in pages.items():
        told = re.search(r"^###? How a run decides it\n\n\*(\w+)\*: ", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert (told.group(1) if told else "") == probe, path.name


def test_the_hooks_are_commands_and_bring_what_they_need() -> None:
    entries = re.findall(r"^  entry: losslint (.*)$", HOOKS, re.MULTILINE)
    assert len(entries) == HOOKS.count("- id: ") == 2
    for entry in entries:
        command, *options = entry.split()
        assert set(options) <= SUBCOMMANDS[command]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brought = re.search(r"additional_dependencies: \[(.*?)\]", HOOKS)
    assert brought and re.findall(r'"(.*?)"', brought.group(1)) == project["optional-dependencies"]["tf"]
