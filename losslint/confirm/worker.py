"""What runs in the process of a job: it imports TensorFlow, if that was not done before, and calls the runner."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

Runner = Callable[[dict[str, Any]], dict[str, Any]]

RESULT, FAILED, READY = b"=", b"!", b"+"  # what the first byte of an answer says that the rest is

OLDEST = (2, 16)
"""The first version of TensorFlow that comes with Keras 3."""
_WAY_OUT = "python -c 'import tensorflow' should show it; pip install --force-reinstall tensorflow installs it anew"
_WIDTH = 500  # characters of an error

# Imported at the first use of what they serve, otherwise.
_WANTED = (
    "numpy",
    "hypothesis",
    "tensorflow.python.ops.parallel_for.control_flow_ops",
    "tensorflow.python.ops.parallel_for.gradients",
)


def preload(device: str, runner: str) -> dict[str, str]:
    """Import what jobs use, and execute nothing. Returns versions, and what the device is called. Raises Unusable."""
    found = versions()
    import tensorflow as tf

    for name in _WANTED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    find(runner)
    with contextlib.suppress(Exception):  # both only save time, and ask for what no release promises
        kernels = importlib.import_module("tensorflow.python.framework.kernels")
        kernels.get_registered_kernels_for_op("AddV2")  # sorts the registry, which each process would do again
        tf.autograph.to_code(_converted)  # likewise the templates of AutoGraph
    if device != "cpu":
        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            raise Unusable(f"TensorFlow finds no GPU for {device}; --device cpu does without")
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        found["device"] = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    return found


class Unusable(Exception):
    """TensorFlow or Keras cannot be used; the message names the cause and the way out."""


def versions() -> dict[str, str]:
    """Import TensorFlow and Keras; what they call themselves. Raises Unusable, whatever their import raises."""
    try:
        tf: Any = importlib.import_module("tensorflow")
        version = str(tf.__version__)
    except BaseException as error:
        raise Unusable(not_imported(_said(error))) from error
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if numbers < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise Unusable(f"TensorFlow {version} is too old to run losses: pip install --upgrade 'tensorflow>={wanted}'")
    legacy = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
    name = "tf_keras" if legacy else "keras"
    try:
        tf.keras.losses.MeanSquaredError  # noqa: B018  (Keras loads lazily)
        keras = importlib.import_module("tf_keras" if "tf_keras" in sys.modules else "keras")
        return {"tensorflow": version, "keras": str(keras.__version__), "device": "CPU"}
    except BaseException as error:
        why = f"TensorFlow {version} cannot use the {name} that is installed, or there is none: {_said(error)}"
        raise Unusable(f"{why}; install one that fits: pip install --upgrade {name}") from error


def not_imported(why: str) -> str:
    """That TensorFlow cannot be imported and ``why``, with the way out."""
    return f"TensorFlow could not be imported: {why}\n{_WAY_OUT}"


def _said(error: BaseException) -> str:
    """What was raised, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_WIDTH]}".rstrip(": ")


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
