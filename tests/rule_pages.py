"""Reads the rule pages for the tests: front matter, headings, examples and what is expected of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "rules").glob("LL*.md"))

_FRONT_MATTER = re.compile(r"\A\+\+\+\n(.*?)\n\+\+\+\n\n?(.*)\Z", re.DOTALL)
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INFOS = re.compile(r"# info:((?: LL\d{3})+)")


@dataclass(frozen=True)
class Example:
    """One fenced block of a page; ``name`` is unique and fit for a file name."""

    code: str
    kind: str  # "bad" or "good"
    index: int
    source: str

    @property
    def name(self) -> str:
        return f"{self.code}_{self.kind}_{self.index}"

    @property
    def infos(self) -> set[str]:
        """The codes that the comments ``# info: LL104 LL308`` name."""
        return {code for match in _INFOS.finditer(self.source) for code in match.group(1).split()}


@dataclass(frozen=True)
class Page:
    """A rule page: its front matter and its sections by heading."""

    path: Path
    meta: dict[str, Any]
    title: str
    sections: dict[str, str]

    @property
    def code(self) -> str:
        return str(self.meta["code"])

    def examples(self, kind: str) -> list[Example]:
        """The Python blocks below ``## Bad`` or ``## Good``."""
        fences = _FENCE.findall(self.sections[kind.capitalize()])
        sources = [source for language, source in fences if language == "python"]
        return [Example(self.code, kind, index, source) for index, source in enumerate(sources)]


def read(path: Path) -> Page:
    """Parse one page. Raises ValueError where it has no front matter."""
    match = _FRONT_MATTER.match(path.read_text(encoding="utf-8"))
    if match is None:
        raise ValueError(f"{path} does not start with front matter between +++ lines")
    head, *sections = re.split(r"^## ", match.group(2), flags=re.MULTILINE)
    parts = (section.partition("\n") for section in sections)
    return Page(path, tomllib.loads(match.group(1)), head.strip(), {name: text.strip("\n") for name, _, text in parts})


def lint(*paths: str | Path, cwd: Path, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Run the command line on ``paths``, in ``cwd``, and return its findings; file names are relative to ``cwd``."""
    command = [sys.executable, "-m", "losslint", "check", "--isolated", "--no-cache", "--min-severity", "info"]
    command += ["--output-format", "json", *options, *map(str, paths)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode in (0, 1), f"losslint ended with {done.returncode}\n{done.stderr}\n{done.stdout[-2000:]}"
    findings: list[dict[str, Any]] = json.loads(done.stdout)
    for finding in findings:
        finding["filename"] = Path(os.path.relpath(cwd / finding["filename"], cwd)).as_posix()
    return findings
