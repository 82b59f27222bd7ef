"""The site is built from docs/ and rules/ without a warning: no link leads nowhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from losslint import rulebook
from losslint.keys import KEYS

REPOSITORY = Path(__file__).parent.parent
pytest.importorskip("material", reason="mkdocs-material is not installed")


def test_the_site_is_built(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    index = (tmp_path / "rules" / "index.html").read_text(encoding="utf-8")
    for code, rule in rulebook.rules().items():
        page = (tmp_path / "rules" / code / "index.html").read_text(encoding="utf-8")
        assert rule.name in page and rule.name in index
    commands = (tmp_path / "command-line" / "index.html").read_text(encoding="utf-8")
    assert "--write-baseline" in commands and "losslint server" in commands
    configuration = (tmp_path / "configuration" / "index.html").read_text(encoding="utf-8")
    for key in KEYS:
        assert f'id="{key.name}"' in configuration and key.about.split(".")[0].split("!")[0] in configuration, key.name
    pages = [p for p in tmp_path.rglob("*.html") if p.name != "404.html"]
    fetched = re.compile(r"<(?:script|link|img)[^>]* (?:src|href)=\"?https?://")
    assert len(pages) > 60 and not any(fetched.search(p.read_text(encoding="utf-8")) for p in pages)
