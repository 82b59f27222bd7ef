"""Writing a file so that at any moment it is the old one or the new one, never a part of either."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

_SHOWN = 32
"""Letters of a name that are repeated in that of the new file, which may be no longer than any other."""


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` in place of the file at ``path``, which keeps its mode. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:_SHOWN]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # else a crash of the system may leave the new name and no content
        os.chmod(name, path.stat().st_mode & 0o7777 if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
