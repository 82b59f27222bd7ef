"""Changes that leave alone what a program computes, made to real files: how often do the findings differ?

    python -m benchmarks.metamorphic FILE_OR_FOLDER...

Prints each difference, and how many files each change was tried on. Deterministic. The formatters that are installed
(black, ruff) write each file anew as well, in short lines and in long ones.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.metamorphic import differences, findings

FORMATTERS = {
    "black": ["--quiet", "--line-length", "{width}", "--stdin-filename", "{path}", "-"],
    "ruff": ["format", "--isolated", "--quiet", "--line-length", "{width}", "--stdin-filename", "{path}", "-"],
}
WIDTHS = (40, 200)


def formatted(text: str, path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each formatter that takes the file, and what is found only before it (-) or only after it (+)."""
    before = findings(text, path, by_function=True)
    for name, arguments in FORMATTERS.items():
        program = shutil.which(name)
        for width in WIDTHS if program else ():
            told = [a.format(width=width, path=path) for a in arguments]
            ran = subprocess.run([str(program), *told], input=text, capture_output=True, text=True, check=False)
            if ran.returncode == 0 and ran.stdout != text:
                after = findings(ran.stdout, path, by_function=True)
                lost, more = before - after, after - before
                yield (
                    f"{name} in lines of {width}",
                    [f"-{' '.join(k)}" for k in lost.elements()] + [f"+{' '.join(k)}" for k in more.elements()],
                )


def main(arguments: list[str]) -> int:
    """Try all changes on the files that parse; the status is 1 where any finding differs."""
    tried, differing = Counter[str](), Counter[str]()
    start = time.process_time()
    for path in sorted({p for a in map(Path, arguments) for p in (a.rglob("*.py") if a.is_dir() else [a])}):
        try:
            text = path.read_text(encoding="utf-8")
            for change, found in itertools.chain(differences(text, path.resolve()), formatted(text, path.resolve())):
                tried[change] += 1
                differing[change] += bool(found)
                if found:
                    print(f"{path}: {change}: {' '.join(found)}", flush=True)
        except (SyntaxError, UnicodeDecodeError) as error:
            print(f"{path}: left out: {error}")
    for change, number in tried.items():
        print(f"{change}: {differing[change]} of {number} files differ")
    print(f"{sum(tried.values())} programs, {time.process_time() - start:.0f} s of CPU")
    return 1 if sum(differing.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
