"""Traces losses written as source, for tests."""

from __future__ import annotations

import textwrap
from pathlib import Path

from losslint.engine import Failure, losses
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.graph import Node, ancestors
from losslint.loss import Loss

HEADER = "import tensorflow as tf\nfrom tensorflow import keras\nfrom tensorflow.keras import backend as K\n"


def traced(source: str, name: str | None = None, header: str = HEADER, path: str = "losses.py") -> Loss:
    """The loss called ``name`` (or the only one) of ``source``; raises AssertionError where its analysis failed."""
    found = every(source, header, path)
    chosen = [loss for loss in found if name in (None, loss.name)]
    assert len(chosen) == 1, [loss.name for loss in found]
    return chosen[0]


def every(source: str, header: str = HEADER, path: str = "losses.py") -> list[Loss]:
    """All losses of ``source``."""
    module, project = Module(path, header + textwrap.dedent(source)), Project()
    project.add(module)
    found = list(losses(module, project))
    assert not any(isinstance(loss, Failure) for loss in found), found
    return found  # type: ignore[return-value]


def in_tree(folder: Path, files: dict[str, str], path: str) -> list[Loss]:
    """All losses of ``path`` in a tree of files."""
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text))
    project = Project()
    module = project.load(folder / path)
    assert module is not None
    return [loss for loss in losses(module, project) if isinstance(loss, Loss)]


def ops(loss: Loss) -> list[str]:
    """The primitives on the way to the results, leaves left out."""
    return [n.op for n in ancestors(loss.results) if n.op not in ("source", "const")]


def node(loss: Loss, op: str) -> Node:
    """The only node of primitive ``op``."""
    found = [n for n in ancestors(loss.results) if n.op == op]
    assert len(found) == 1, (op, [str(n) for n in ancestors(loss.results)])
    return found[0]


def sources(loss: Loss) -> dict[str, str]:
    """Name -> role of every source of the results."""
    return {n.attrs["name"]: n.attrs["role"] for n in ancestors(loss.results) if n.op == "source"}
