"""The pictures of the documents, each made from a real run on ``examples/``: ``python scripts/pictures.py``.

``docs/terminal.svg`` is what a terminal shows of the linter, ``docs/report.png`` the page that ``--report`` writes of
the same losses, as Chromium renders it. The second needs TensorFlow, Playwright and a Chromium.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
TERMINAL, REPORT = ROOT / "docs" / "terminal.svg", ROOT / "docs" / "report.png"
SHOWN = ("losslint", "examples/train_vae.py")
COLUMNS = 118
_FETCHED = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture fetches nothing


def printed() -> str:
    """What the command prints on a terminal, with its colours."""
    environment = {**os.environ, "FORCE_COLOR": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", *SHOWN, "--isolated", "--no-cache"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True).stdout


def terminal(output: str) -> str:
    """``output`` as a drawing of a terminal."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), legacy_windows=False)
    shown = Text.assemble(("$ ", "bold green"), " ".join(SHOWN), "\n", Text.from_ansi(output))
    for line in shown.split("\n"):
        for part in line.divide(range(COLUMNS, len(line), COLUMNS)) if len(line) > COLUMNS else [line]:
            console.print(part, soft_wrap=True)  # broken where a terminal breaks it
    return _FETCHED.sub("", console.export_svg(title="losslint", unique_id="terminal"))


def text_of(svg: str) -> str:
    """The text that a drawing shows, in reading order, without spaces."""
    found = (element for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("}text"))
    lines = [element for element in found if "terminal-line" in element.get("clip-path", "")]
    return "".join("".join("".join(element.itertext()).split()) for element in lines)


def report(path: Path) -> None:
    """Draw the top of the page on the losses of the example, and the passport of one of them."""
    from PIL import Image

    from scripts import browser

    if why := browser.missing():
        sys.exit(f"no picture of the report: {why}")
    with tempfile.TemporaryDirectory() as folder, browser.opened() as chromium:
        page_file = Path(folder) / "report.html"
        command = [sys.executable, "-m", *SHOWN, "--isolated", "--timeout", "300", "--report", str(page_file)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
        page = chromium.new_page(viewport={"width": 1120, "height": 1530})
        page.goto(page_file.as_uri())
        page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    TERMINAL.write_text(terminal(printed()), encoding="utf-8")
    report(REPORT)
