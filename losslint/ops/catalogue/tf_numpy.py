"""``tf.experimental.numpy``: what ``keras.ops`` has under the same name, and does the same."""

from __future__ import annotations

from losslint.ops.catalogue import keras_arrays, keras_nn, keras_ops
from losslint.ops.registry import CATALOGUE

assert keras_arrays and keras_nn and keras_ops  # register what is looked up here
_SHARED = (
    "angle arccosh arcsinh bitwise_and bitwise_not bitwise_or bitwise_xor cbrt conj conjugate cross cumprod deg2rad "
    "diagflat diagonal dstack empty_like exp2 gcd heaviside hsplit imag isneginf isposinf isreal lcm logaddexp2 "
    "nanprod ndim nextafter ones_like rad2deg real shape signbit sinc take_along_axis tri vander zeros_like"
)
for _name in _SHARED.split():
    CATALOGUE[f"tensorflow.experimental.numpy.{_name}"] = CATALOGUE[f"keras.ops.{_name}"]
