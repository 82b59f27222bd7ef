"""Functions that send no gradient, or seemed to be such because a probe fed them the wrong inputs: measured again."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tf

MEASURED = {
    "tf.eye(tf.shape(y_pred)[-1])": "dead",
    "tf.ones_like(y_pred)": "dead",
    "tf.zeros_like(y_pred)": "dead",
    "tf.math.angle(tf.complex(y_pred, y_true + 1.0))": "live",
    "tf.math.imag(tf.complex(y_true, y_pred))": "live",
    "tf.math.zero_fraction(y_pred)": "dead",
    "tf.math.zeta(y_pred + 2.0, y_true + 1.0)": "dead",
    "tf.math.zeta(y_true + 2.0, y_pred + 1.0)": "live",
    "tf.experimental.numpy.angle(tf.complex(y_pred, y_true + 1.0))": "live",
    "tf.experimental.numpy.empty_like(y_pred)": "dead",
    "tf.experimental.numpy.eye(5)": "dead",
    "tf.experimental.numpy.heaviside(y_true, y_pred)": "zero",
    "tf.experimental.numpy.heaviside(0.0 * y_true, y_pred)": "live",
    "tf.experimental.numpy.imag(tf.complex(y_true, y_pred))": "live",
    "tf.experimental.numpy.ones_like(y_pred)": "dead",
    "tf.experimental.numpy.polyval(y_pred[0], y_true)": "live",
    "tf.experimental.numpy.tri(5)": "dead",
    "tf.experimental.numpy.zeros_like(y_pred)": "dead",
    "keras.metrics.binary_accuracy(y_true, y_pred)": "dead",
    "K.dropout(y_pred, 0.5)": "live",
    "K.ones_like(y_pred)": "dead",
    "K.random_uniform_variable((3, 5), 0.0, 1.0)": "dead",
    "K.variable(y_pred)": "dead",
    "K.zeros_like(y_pred)": "dead",
    "ops.angle(tf.complex(y_pred, y_true + 1.0))": "live",
    "ops.bartlett(5)": "dead",
    "ops.empty_like(y_pred)": "dead",
    "ops.heaviside(0.0 * y_true, y_pred)": "live",
    "ops.imag(tf.complex(y_true, y_pred))": "live",
    "ops.ones_like(y_pred)": "dead",
    "ops.tri(5)": "dead",
    "ops.zeros_like(y_pred)": "dead",
}
"""Call -> what TensorFlow 2.21 sends to ``y_pred``."""


@pytest.mark.parametrize("call", MEASURED)
def test_the_gradient_of(call: str) -> None:
    pytest.importorskip("tensorflow")
    pytest.importorskip("tf_keras")
    from tests.conformance.inputs import SIZES, arrays
    from tests.conformance.kinds import KINDS
    from tests.conformance.measured import Measured
    from tests.conformance.predicted import Predicted

    kind = KINDS["matrix"]
    source = f"def case(y_true, y_pred):\n    return {call}\n"
    measured = Measured(source).gradient(arrays(kind, SIZES[0], 0.05, 0.95))
    assert measured == MEASURED[call]
    told = Predicted(source, kind).gradient
    assert not (told in ("dead", "absent", "zero") and measured == "live")
    assert not (told == "live" and measured == "dead")
