"""The words of the grammar: templates by the domain of what they give, each with the domains of what it takes."""

from __future__ import annotations

REAL, POSITIVE, UNIT = "real", "positive", "unit"
"""Any number; none below 0; none outside of [0, 1]."""

_ORDER = (UNIT, POSITIVE, REAL)


def within(domain: str, other: str) -> bool:
    """Whether all values of ``domain`` lie in ``other``."""
    return _ORDER.index(domain) <= _ORDER.index(other)


def _table(text: str) -> dict[str, list[tuple[str, ...]]]:
    """ "unit: sigmoid({}) <- real" a line; a row serves every domain that its values lie in."""
    found: dict[str, list[tuple[str, ...]]] = {domain: [] for domain in _ORDER}
    for line in text.strip().splitlines():
        head, _, rest = line.strip().partition(": ")
        template, _, inner = rest.rpartition(" <- ")
        for domain in _ORDER:
            if within(head, domain):
                found[domain].append((template, *inner.split()))
    return found


UNARY = _table("""
real: -{} <- real
real: ({} + 1.0) <- real
real: ({} - 0.5) <- real
real: 2.0 * {} <- real
real: {} / 3.0 <- real
real: tf.stop_gradient({}) <- real
real: tf.identity({}) <- real
real: tf.tanh({}) <- real
real: tf.sin({}) <- real
real: tf.clip_by_value({}, -1.0, 1.0) <- real
real: tf.cast({}, tf.float32) <- real
real: tf.nn.elu({}) <- real
real: tf.nn.leaky_relu({}) <- real
real: tf.math.log_sigmoid({}) <- real
real: tf.round({}) <- real
real: tf.sign({}) <- real
real: ({}) ** 3 <- real
real: tf.math.log({}) <- unit
real: tf.math.log({} + 1e-7) <- positive
real: K.log(K.maximum({}, K.epsilon())) <- positive
real: ops.log(ops.clip({}, 1e-7, 1.0 - 1e-7)) <- unit
positive: tf.square({}) <- real
positive: ({}) ** 2 <- real
positive: K.pow({}, 2.0) <- real
positive: tf.abs({}) <- real
positive: ops.absolute({}) <- real
positive: tf.nn.relu({}) <- real
positive: tf.maximum({}, 0.0) <- real
positive: tf.exp({}) <- real
positive: tf.nn.softplus({}) <- real
positive: tf.math.log1p({}) <- positive
positive: tf.sqrt({}) <- positive
positive: K.sqrt({} + K.epsilon()) <- positive
positive: -tf.math.log({} + 1e-7) <- unit
positive: ({} + 1.0) <- positive
positive: 0.5 * {} <- positive
positive: 1.0 / ({} + 1.0) <- positive
positive: tf.maximum({}, 1e-6) <- positive
positive: tf.stop_gradient({}) <- positive
real: tf.math.sinh(tf.clip_by_value({}, -2.0, 2.0)) <- real
real: tf.math.asinh({}) <- real
real: tf.cos({}) <- real
real: tf.math.floor({}) <- real
real: tf.math.digamma({} + 1.0) <- positive
real: tf.math.lgamma({} + 1.0) <- positive
real: tf.math.expm1({}) <- real
real: ops.tanh({}) <- real
real: ops.silu({}) <- real
real: ops.leaky_relu({}, 0.1) <- real
real: ops.negative({}) <- real
real: ops.stop_gradient({}) <- real
real: K.tanh({}) <- real
real: K.elu({}) <- real
real: K.sign({}) <- real
real: keras.activations.selu({}) <- real
real: tf.nn.selu({}) <- real
positive: tf.math.rsqrt({} + 0.1) <- positive
positive: tf.math.cosh(tf.clip_by_value({}, -2.0, 2.0)) <- real
positive: ops.square({}) <- real
positive: ops.exp({}) <- real
positive: ops.relu({}) <- real
positive: ops.relu6({}) <- real
positive: ops.sqrt({}) <- positive
positive: ops.softplus({}) <- real
positive: K.abs({}) <- real
positive: K.exp({}) <- real
positive: K.relu({}) <- real
positive: K.softplus({}) <- real
unit: ops.sigmoid({}) <- real
unit: ops.hard_sigmoid({}) <- real
unit: K.sigmoid({}) <- real
unit: ops.clip({}, 0.0, 1.0) <- real
unit: keras.activations.sigmoid({}) <- real
unit: ops.cast(ops.greater({}, 0.5), "float32") <- real
unit: (1.0 - {}) <- unit
unit: tf.sigmoid({}) <- real
unit: tf.nn.sigmoid({}) <- real
unit: K.clip({}, K.epsilon(), 1.0 - K.epsilon()) <- unit
unit: tf.clip_by_value({}, 0.0, 1.0) <- real
unit: tf.exp(-{}) <- positive
unit: ({}) ** 2.0 <- unit
unit: tf.cast({} > 0.5, tf.float32) <- real
unit: tf.cast(tf.equal({}, 0.0), tf.float32) <- real
unit: tf.stop_gradient({}) <- unit
""")

BINARY = _table(
    """
real: {} - {} <- real real
real: ({} + {}) <- real real
real: {} * {} <- real real
real: {} / ({} + 1e-7) <- real positive
real: {} / {} <- real positive
real: tf.math.divide_no_nan({}, {}) <- real positive
real: tf.maximum({}, {}) <- real real
real: tf.minimum({}, {}) <- real real
real: tf.multiply({}, {}) <- real real
real: ops.subtract({}, {}) <- real real
real: tf.math.atan2({}, {} + 0.1) <- real positive
real: tf.subtract({}, {}) <- real real
real: tf.divide({}, {} + 0.5) <- real positive
real: ops.add({}, {}) <- real real
real: ops.multiply({}, {}) <- real real
real: ops.divide({}, {} + 1e-3) <- real positive
real: ops.divide_no_nan({}, {}) <- real positive
real: K.minimum({}, {}) <- real real
positive: tf.pow({} + 0.1, {}) <- positive unit
positive: ops.logaddexp({}, {}) <- positive positive
positive: tf.math.floormod({}, {} + 1.0) <- positive positive
positive: ({} + {}) <- positive positive
positive: {} * {} <- positive positive
positive: {} / (1.0 + {}) <- positive positive
positive: tf.math.squared_difference({}, {}) <- real real
positive: tf.abs({} - {}) <- real real
positive: tf.square({} - {}) <- real real
positive: tf.maximum({}, {}) <- positive positive
positive: K.maximum({}, {}) <- positive real
unit: {} * {} <- unit unit
unit: tf.minimum({}, {}) <- unit unit
unit: K.binary_crossentropy({}, {}) <- unit unit
""".replace("unit: K.b", "positive: K.b")
)

REDUCTIONS = _table("""
real: tf.reduce_mean({}{}) <- real
real: tf.reduce_sum({}{}) <- real
real: K.mean({}{}) <- real
real: K.sum({}{}) <- real
real: ops.mean({}{}) <- real
real: ops.sum({}{}) <- real
real: tf.reduce_max({}{}) <- real
real: tf.reduce_min({}{}) <- real
real: tf.reduce_logsumexp({}{}) <- real
real: ops.max({}{}) <- real
real: ops.min({}{}) <- real
real: K.max({}{}) <- real
real: K.logsumexp({}{}) <- real
real: ops.logsumexp({}{}) <- real
positive: ops.std({}{}) <- real
positive: ops.var({}{}) <- real
positive: K.var({}{}) <- real
positive: tf.math.reduce_euclidean_norm({}{}) <- real
positive: ops.prod({}{}) <- unit
unit: tf.reduce_prod({}{}) <- unit
unit: ops.mean({}{}) <- unit
positive: tf.reduce_mean({}{}) <- positive
positive: tf.reduce_sum({}{}) <- positive
positive: K.sum({}{}) <- positive
positive: tf.math.reduce_std({}{}) <- real
positive: tf.math.reduce_variance({}{}) <- real
positive: tf.norm({}{}) <- real
unit: tf.reduce_mean({}{}) <- unit
unit: tf.reduce_max({}{}) <- unit
unit: K.mean({}{}) <- unit
""")

ALONG = _table("""
real: tf.nn.log_softmax({}, axis={}) <- real
real: tf.math.l2_normalize({}, axis={}) <- real
real: tf.cumsum({}, axis={}) <- real
real: tf.sort({}, axis={}) <- real
real: tf.reverse({}, axis=[{}]) <- real
real: tf.roll({}, shift=1, axis={}) <- real
real: ops.cumsum({}, axis={}) <- real
real: ops.flip({}, axis={}) <- real
real: ops.roll({}, shift=1, axis={}) <- real
real: ops.log_softmax({}, axis={}) <- real
real: tf.math.cumulative_logsumexp({}, axis={}) <- real
unit: ops.softmax({}, axis={}) <- real
unit: tf.math.cumprod({}, axis={}) <- unit
unit: tf.nn.softmax({}, axis={}) <- real
unit: K.softmax({}, axis={}) <- real
positive: tf.cumsum({}, axis={}) <- positive
unit: tf.sort({}, axis={}) <- unit
""")

CONDITIONS = ("{} > 0.0", "{} < 0.3", "tf.equal({}, 1.0)", "tf.greater_equal(tf.abs({}), 0.5)", "tf.math.is_finite({})")

COUNTS = (
    "tf.cast(tf.shape(y_pred)[0], tf.float32)",
    "tf.cast(tf.size(y_pred), tf.float32)",
    "tf.cast(K.shape(y_pred)[0], tf.float32)",
    "tf.cast(ops.shape(y_pred)[0], tf.float32)",
    "tf.cast(tf.shape(y_pred)[-1], tf.float32)",
)

CONSTANTS = {REAL: ("1.0", "0.5", "-2.0"), POSITIVE: ("1.0", "0.5", "2.0"), UNIT: ("1.0", "0.5", "0.25")}
INTO = {REAL: ("{}",), POSITIVE: ("tf.square({})", "tf.exp({})", "tf.abs({})"), UNIT: ("tf.sigmoid({})",)}
"""What brings any value into a domain."""
