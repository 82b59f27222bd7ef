"""The catalogue: importing this package registers every library function that losses use."""

from __future__ import annotations

import importlib
import pkgutil

from losslint.ops.registry import CATALOGUE, CONSTANTS

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")

# tf.losses, tf.metrics and the like are Keras's in TensorFlow 2; the functions of TensorFlow 1 keep their names
_PACKAGES = tuple(f"keras.{package}." for package in ("losses", "metrics", "optimizers", "initializers"))
for _table in (CATALOGUE, CONSTANTS):
    for _name in [name for name in _table if name.startswith(_PACKAGES)]:
        _table.setdefault(f"tensorflow.{_name.removeprefix('keras.')}", _table[_name])
