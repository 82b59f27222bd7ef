"""What runs in the process of a job: it imports TensorFlow, if that was not done before, and calls the runner."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

Runner = Callable[[dict[str, Any]], dict[str, Any]]

RESULT, FAILED, READY = b"=", b"!", b"+"  # what the first byte of an answer says that the rest is

# Imported at the first use of what they serve, otherwise.
_WANTED = (
    "numpy",
    "hypothesis",
    "tensorflow.python.ops.parallel_for.control_flow_ops",
    "tensorflow.python.ops.parallel_for.gradients",
)


def preload(device: str, runner: str) -> dict[str, str]:
    """Import what jobs use, and execute nothing. Returns versions, and what the device is called."""
    import tensorflow as tf
    from tensorflow.python.framework import kernels

    for name in _WANTED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    found = versions()
    find(runner)
    kernels.get_registered_kernels_for_op("AddV2")  # sorts the registry, which each process would do again
    tf.autograph.to_code(_converted)  # likewise the templates of AutoGraph
    if device != "cpu":
        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            raise RuntimeError(f"TensorFlow finds no GPU for {device}")
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        found["device"] = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    return found


def versions() -> dict[str, str]:
    """What TensorFlow and Keras call themselves."""
    import tensorflow as tf

    tf.keras.losses.MeanSquaredError  # noqa: B018  (Keras loads lazily)
    keras = importlib.import_module("tf_keras" if "tf_keras" in sys.modules else "keras")
    return {"tensorflow": tf.__version__, "keras": keras.__version__, "device": "CPU"}


def _converted(x: Any) -> Any:
    """Something of all that AutoGraph converts."""
    for _ in range(3):
        x = x + 1 if x > 0 else -x
    while x > 9:
        if x == 10:
            break
    return [x, x == 1]


def find(runner: str) -> Runner:
    """The function that "module:function" names."""
    module, _, name = runner.partition(":")
    found: Runner = getattr(importlib.import_module(module), name)
    return found


def answer(runner: str, job: dict[str, Any]) -> bytes:
    """What ``runner`` says of ``job``, or how it failed."""
    try:
        text = RESULT + json.dumps(find(runner)(job)).encode()
    except SystemExit as leaving:
        leave(leaving.code if isinstance(leaving.code, int) else 1)
    except BaseException:
        text = FAILED + json.dumps(traceback.format_exc()).encode()
    return text


def leave(status: int = 0) -> NoReturn:
    """End this process, without what an interpreter does at its end: threads of the job may still run."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)
