"""Runs snippets with TensorFlow, each in a child of one process that has imported it: what they change stays there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SERVER = """
import json, os, sys
import tensorflow as tf
import tensorflow.compat.v1, keras
for line in sys.stdin:
    read, write = os.pipe()
    if os.fork() == 0:
        names = {}
        try:
            exec(compile(json.loads(line), "<snippet>", "exec"), names)
            answer = json.dumps({"result": names.get("result")})
        except BaseException:
            import traceback
            answer = json.dumps({"error": traceback.format_exc()})
        os.write(write, answer.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read() or json.dumps({"error": "the child died"})
    os.wait()
    print(answer, flush=True)
"""


class Forked:
    """``forked(code)`` is what ``code`` leaves in ``result``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, code: str) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["result"]


@contextmanager
def server(also: str = "", **variables: str) -> Iterator[Forked]:
    """A process that runs snippets, with ``variables`` in its environment, and has imported ``also``."""
    inherited = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    environment = inherited | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"} | variables
    process = subprocess.Popen(
        [sys.executable, "-c", f"import {also}\n{_SERVER}" if also else _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    try:
        yield Forked(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
