"""The law book against the real TensorFlow: the gradient of weights when every sample comes twice."""

from __future__ import annotations

import pytest

from tests.ops.lawbook import ALL, Entry

tf = pytest.importorskip("tensorflow")


class Real:
    """The operations of the law book on tensors."""

    def __init__(self, weights):
        self._weights = weights

    def __call__(self, name, *values, **attrs):
        rename = {"sum": "reduce_sum", "mean": "reduce_mean", "max": "reduce_max", "logsumexp": "reduce_logsumexp",
                  "std": "reduce_std", "var": "reduce_variance"}  # fmt: skip
        if name in rename:
            return getattr(tf.math, rename[name])(*values, **attrs)
        if name in ("softmax", "log_softmax", "l2_normalize"):
            return getattr(tf.nn, name)(*values, axis=attrs["axis"][0])
        special = {
            "dynamic_dim": lambda x, axis: tf.shape(x)[axis],
            "size_of": tf.size,
            "neg": tf.negative,
            "div": tf.divide,
            "select": tf.where,
            "gt": tf.greater,
            "lt": tf.less,
            "eq": tf.equal,
            "diag_part": tf.linalg.diag_part,
            "relu": tf.nn.relu,
            "sort": lambda x, axis: tf.sort(x, axis=axis[0]),
            "norm": lambda x, axis: tf.norm(x, axis=axis and axis[0]),
        }
        return special.get(name, getattr(tf, name, None) or getattr(tf.math, name, None))(*values, **attrs)

    def count(self, x):
        return tf.cast(tf.shape(x)[0], tf.float32)

    def weights(self):
        return self._weights

    def eye(self, x):
        return tf.eye(tf.shape(x)[0])

    def at(self, x, *key):
        return x[key]


def gradients(entry: Entry, rows: int, *splits):
    """The gradient of the mean of ``entry`` for each selection of samples, as one vector each."""
    generator = tf.random.Generator.from_seed(7)
    x, y = generator.normal((rows, 5)), generator.uniform((rows, 3))
    weights = tf.Variable(generator.normal((5, 3)))
    decayed = tf.Variable(generator.normal((3,)))

    def gradient(x, y):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(entry.loss(Real(decayed), y, tf.sigmoid(x @ weights)))
        found = tape.gradient(value, [weights, decayed], unconnected_gradients="zero")
        return tf.concat([tf.reshape(g, [-1]) for g in found], 0)

    return [gradient(tf.gather(x, rows), tf.gather(y, rows)) for rows in splits]


def ratio(entry: Entry, rows: int):
    """The gradient of two copies of the batch over that of one, and how far the two are from being parallel."""
    a, b = gradients(entry, rows, list(range(rows)), 2 * list(range(rows)))
    found = tf.reduce_sum(a * b) / tf.reduce_sum(a * a)
    return float(found), float(tf.norm(b - found * a) / tf.norm(b))


@pytest.mark.parametrize("entry", [e for e in ALL if not isinstance(e.law, str)], ids=lambda e: e.name)
def test_known_laws(entry):
    found, spread = ratio(entry, rows=6 if entry.exact else 3000)
    tolerance = 1e-3 if entry.exact else 2e-2
    assert found == pytest.approx(2.0 ** float(entry.law), rel=tolerance)
    assert spread < tolerance


@pytest.mark.parametrize("entry", [e for e in ALL if e.law in ("mixed", "broken")], ids=lambda e: e.name)
def test_others_follow_no_law(entry):
    found, spread = ratio(entry, rows=6)
    assert spread > 1e-2 or all(abs(found / 2.0**p - 1) > 1e-2 for p in (-1, -0.5, 0, 0.5, 1, 2))


@pytest.mark.parametrize("entry", [e for e in ALL if e.coupling != "scaled"], ids=lambda e: e.name)
def test_couplings(entry):
    """The gradient of a batch against those of two unequal parts of it."""
    whole, left, right = gradients(entry, 6, [0, 1, 2, 3, 4, 5], [0, 1], [2, 3, 4, 5])
    decays = entry.name.startswith("sum + weight")
    parts = left + right if entry.coupling == "sum" else (2 * left + 4 * right) / 6
    off = float(tf.norm((whole - parts)[: 15 if decays else None]) / tf.norm(whole))
    if entry.coupling == "coupled":
        assert off > 1e-3
    else:
        assert off < 1e-5
