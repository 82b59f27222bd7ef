"""``python -m losslint``."""

import os
import sys

try:
    _here = os.getcwd()
except OSError:  # it is gone, as `main` tells
    _here = ""
if not getattr(sys.flags, "safe_path", False) and sys.path and sys.path[0] in ("", _here):
    # "-m" puts the working folder first, which is what is linted: a click.py in there, or what looks like an
    # installed package with rules, would be imported
    del sys.path[0]

from losslint.cli import main

if __name__ == "__main__":
    main()
