"""What the tests of the confirmer's processes share."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from losslint.confirm.jobs import Outcome
from losslint.confirm.pool import Pool

ATTACKS = Path(__file__).with_name("attacks.py")
RUNNER = "tests.confirm.fake_runner:run"
HONEST = 0.5  # the loss of an attack that does not get through

linux = pytest.mark.skipif(not os.path.exists("/proc/self/ns"), reason="namespaces are of Linux")


class Field:
    """A folder with a copy of the attacks and what they attack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(shutil.copy(ATTACKS, folder))
        (folder / "precious").mkdir()
        (folder / "precious" / "data").write_text("precious")

    def job(self, name: str, **more: Any) -> dict[str, Any]:
        return {"path": self.path, "function": name, **more}

    def unharmed(self) -> bool:
        files = sorted(str(p.relative_to(self.folder)) for p in self.folder.rglob("*"))
        return [f for f in files if f not in ("port", "service", "pipe")] == ["attacks.py", "precious", "precious/data"]


def loss(outcome: Outcome) -> float:
    assert outcome.kind == "done", outcome
    assert outcome.result is not None
    return float(outcome.result["loss"])


def needs(pool: Pool, *limits: str) -> None:
    """Skip where the system does not have what enforces ``limits``."""
    for limit in limits:
        if pool.enforced[limit].startswith("not enforced") or "no pid namespace" in pool.enforced[limit]:
            pytest.skip(f"{limit}: {pool.enforced[limit]}")


def processes(folder: str) -> int:
    """How many processes there are that were told ``folder``: the workers of a pool, and what they started."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            alive = (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            found += alive and f"HOME={folder}".encode() in (process / "environ").read_bytes()
        except OSError:
            pass
    return found


def settled(condition: Callable[[], bool]) -> bool:
    """Whether ``condition`` comes to hold, which a loaded machine may take its time for."""
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
