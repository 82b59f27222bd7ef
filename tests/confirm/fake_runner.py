"""A runner for tests of what is around runners: it cuts a function out of a file in the plainest way there is."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Call ``job["function"]`` of the file ``job["path"]``; if ``job["tf"]``, with tensors and for a gradient."""
    function = _functions(job["path"])[job["function"]]
    y_true, y_pred = [[1.0, 2.0]], [[1.5, 2.5]]
    if not job.get("tf"):
        return {"loss": function(y_true, y_pred), "tensorflow": "tensorflow" in sys.modules}
    import tensorflow as tf

    @tf.function(autograph=job.get("autograph", True))
    def step(labels: Any, predictions: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(predictions)
            loss = function(labels, predictions)
        return loss, tape.gradient(loss, predictions)

    loss, gradient = step(tf.constant(y_true), tf.constant(y_pred))
    return {"loss": float(loss), "gradient": None if gradient is None else gradient.numpy().tolist()}


def _functions(path: str) -> dict[str, Any]:
    """What a file defines, without running its other statements."""
    tree = ast.parse(Path(path).read_text())
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Assign)
    tree.body = [statement for statement in tree.body if isinstance(statement, kept)]
    names: dict[str, Any] = {"__file__": path, "__name__": "attacked"}
    exec(compile(tree, path, "exec"), names)
    return names
