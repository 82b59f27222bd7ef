"""Changes that leave alone what a program computes, made to real files: how often do the findings differ?

    python -m benchmarks.metamorphic FILE_OR_FOLDER...

Prints each difference, and how many files each change was tried on. Deterministic.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from tests.metamorphic import differences


def main(arguments: list[str]) -> int:
    """Try all changes on the files that parse; the status is 1 where any finding differs."""
    tried, differing = Counter[str](), Counter[str]()
    start = time.process_time()
    for path in sorted({p for a in map(Path, arguments) for p in (a.rglob("*.py") if a.is_dir() else [a])}):
        try:
            for change, found in differences(path.read_text(encoding="utf-8"), path.resolve()):
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
