"""Numbers that are not known: what is told without them is true of every number that they may be."""

from __future__ import annotations

import textwrap

import pytest

from losslint.loss import Loss
from tests.interpreter.test_open_lists import covers
from tests.traced import traced

PROGRAMS = """
    y_pred ** n
    tf.pow(y_pred, n)
    y_pred * n
    y_pred / n
    n - y_pred
    tf.reduce_sum(y_pred, axis=n)
    tf.reduce_sum(y_pred, axis=-n)
    tf.reduce_mean(y_pred, axis=list(range(n)))
    tf.reduce_mean(y_pred, axis=list(range(1, n)))
    tf.reduce_mean(y_pred, axis=[k for k in range(1, n)])
    tf.transpose(y_pred, list(range(n))) if n == 2 else y_pred
    y_pred[n]
    y_pred[:, n]
    y_pred[:, :n]
    y_pred[:, n:]
    y_pred[:, -n:]
    y_pred[:n]
    tf.split(y_pred, n, axis=1)[0]
    tf.split(y_pred, [n, 6 - n], axis=1)[0]
    tf.split(y_pred, [n, 6 - n], axis=1)[1]
    tf.unstack(y_pred, axis=1)[n]
    tf.reshape(y_pred, [-1, n])
    tf.reshape(y_pred, [n, -1])
    tf.reshape(y_pred, [-1, 6 // n, n])
    tf.one_hot(tf.cast(y_true[:, 0], tf.int32), n)
    tf.range(n)
    tf.range(n) * 1.0
    tf.tile(y_pred, [1, n])
    tf.tile(y_pred, [n, 1])
    tf.repeat(y_pred, n, axis=1)
    tf.repeat(y_pred, n, axis=0)
    tf.zeros([n, 2])
    tf.zeros(n)
    tf.fill([2, n], 3.0)
    tf.eye(n)
    tf.linspace(0.0, 1.0, n)
    tf.pad(y_pred, [[0, 0], [0, n]])
    tf.pad(y_pred, [[n, 0], [0, 0]])
    tf.roll(y_pred, n, axis=1)
    tf.expand_dims(y_pred, n)
    tf.concat([y_pred] * n, axis=1)
    tf.concat([y_pred, y_true], axis=n - 1)
    tf.stack([y_pred] * n)
    tf.stack([y_pred, y_true], axis=n - 1)
    tf.gather(y_pred, n, axis=1)
    tf.gather(y_pred, [0, n], axis=1)
    tf.gather(y_pred, list(range(n)), axis=1)
    tf.slice(y_pred, [0, 0], [-1, n])
    tf.slice(y_pred, [0, n], [-1, -1])
    tf.math.top_k(y_pred, n)[0]
    tf.math.in_top_k(tf.cast(y_true[:, 0], tf.int32), y_pred, n)
    tf.norm(y_pred, ord=n, axis=1)
    tf.clip_by_value(y_pred, -n, n)
    tf.maximum(y_pred, n)
    tf.minimum(tf.sigmoid(y_pred), n - 1.5)
    tf.where(y_pred > n, y_pred, n)
    tf.transpose(y_pred, [n - 1, 2 - n]) if n < 3 else y_pred
    tf.broadcast_to(y_pred[0], [n, 6])
    tf.cond(n > 1, lambda: tf.exp(y_pred), lambda: tf.sigmoid(y_pred))
    tf.exp(y_pred) if n == 2 else tf.sigmoid(y_pred)
    [tf.exp(y_pred), tf.sigmoid(y_pred), tf.tanh(y_pred), y_pred][n]
    {1: tf.exp(y_pred), 2: tf.sigmoid(y_pred), 3: y_pred}[n]
    tf.math.log(tf.sigmoid(y_pred) + n - 1)
    tf.sqrt(n - tf.sigmoid(y_pred))
    tf.math.divide_no_nan(y_pred, n - 2)
    tf.cast(n > 2, tf.float32) * y_pred
    tf.math.pow(tf.sigmoid(y_pred), 1 / n)
    (1 - tf.sigmoid(y_pred)) ** n
    sum(tf.sigmoid(y_pred[:, i]) for i in range(n))
    sum([tf.sigmoid(y_pred[:, i]) for i in range(n)]) / n
    max(1.5, n) * tf.sigmoid(y_pred)
    min(1.5, n) * tf.sigmoid(y_pred)
    abs(1 - n) + tf.sigmoid(y_pred)
    round(n / 2) + tf.sigmoid(y_pred)
    (n // 2) * tf.sigmoid(y_pred) + n % 2
    int(n * 1.5) * tf.sigmoid(y_pred)
    float(n) * tf.sigmoid(y_pred)
    -n * tf.sigmoid(y_pred)
    (n and 2.0) * tf.sigmoid(y_pred)
    (not n) * tf.sigmoid(y_pred)
    (n or 2.0) * tf.sigmoid(y_pred)
    ((n - 1) or 3.0) * tf.sigmoid(y_pred)
    ((n > 5) or 3.0) * tf.sigmoid(y_pred)
    ((n - 1) and 3.0) * tf.sigmoid(y_pred)
    (5.0 and n) * tf.sigmoid(y_pred)
    (3.0 if (n - 1) or 3.0 else 7.0) * tf.sigmoid(y_pred)
    (3.0 if (n - 1) and 0 else 7.0) * tf.sigmoid(y_pred)
    ((n - 1) or tf.exp)(y_pred) if n == 1 else y_pred
    sum((n > 5 and [1.0]) or [2.0, 3.0]) * tf.sigmoid(y_pred)
    (2.0 if 2 in [n, 3] else 5.0) * tf.sigmoid(y_pred)
    (2.0 if 2 not in (n, 3) else 5.0) * tf.sigmoid(y_pred)
    (2.0 if 2 in {n: 1} else 5.0) * tf.sigmoid(y_pred)
    (2.0 if 2 in range(n) else 5.0) * tf.sigmoid(y_pred)
    (2.0 if 1 in [k for k in range(n)] else 5.0) * tf.sigmoid(y_pred)
    (2.0 if n in [1, 2] else 5.0) * tf.sigmoid(y_pred)
    (2.0 if (n, 1) == (2, 1) else 5.0) * tf.sigmoid(y_pred)
    (2.0 if [n] != [2] else 5.0) * tf.sigmoid(y_pred)
    (2.0 if [n] < [2] else 5.0) * tf.sigmoid(y_pred)
    (2.0 if {"a": n} == {"a": 2} else 5.0) * tf.sigmoid(y_pred)
    (2.0 if [k for k in range(n - 1)] else 5.0) * tf.sigmoid(y_pred)
    (2.0 if {k: 1 for k in range(n - 1)} else 5.0) * tf.sigmoid(y_pred)
    (2.0 if not list(range(n - 1)) else 5.0) * tf.sigmoid(y_pred)
    (2.0 if [k for k in range(n)] == [0] else 5.0) * tf.sigmoid(y_pred)
    sum([1.0 for k in range(n)] * 2) * tf.sigmoid(y_pred)
    {1: 2.0, n: 3.0}[1] * tf.sigmoid(y_pred)
    {n: 3.0, 1: 2.0}[1] * tf.sigmoid(y_pred)
    {n: 3.0}.get(1, 2.0) * tf.sigmoid(y_pred)
    {"a": 3.0}.get("ab"[n - 1] if n < 3 else "c", 2.0) * tf.sigmoid(y_pred)
    [1.0, 2.0, 3.0].index(n) * tf.sigmoid(y_pred)
    [1, 2, n].count(2) * tf.sigmoid(y_pred)
    [1, 2, n].index(3 if n == 3 else 1) * tf.sigmoid(y_pred)
    len({1, 2, n}) * tf.sigmoid(y_pred)
    len({"a": 1, "b": n}) * tf.sigmoid(y_pred)
    len(f"{n}") * tf.sigmoid(y_pred)
    len("a" * n) * tf.sigmoid(y_pred)
    max([1, 2, n], key=lambda v: -v) * tf.sigmoid(y_pred)
    sorted([2, n, 1])[0] * tf.sigmoid(y_pred)
    sorted([2, n, 1])[-1] * tf.sigmoid(y_pred)
    (n if n > 1 else -n) * tf.sigmoid(y_pred)
    (1.0 if isinstance(n, int) else 2.0) * tf.sigmoid(y_pred)
    (1.0 if callable(n) else 2.0) * tf.sigmoid(y_pred)
    (1.0 if n is None else 2.0) * tf.sigmoid(y_pred)
    (1.0 if n is not None and n > 1 else 2.0) * tf.sigmoid(y_pred)
    (1.0 if n == "mean" else 2.0) * tf.sigmoid(y_pred)
    (1.0 if 0 < n < 2 else 2.0) * tf.sigmoid(y_pred)
    divmod(n, 2)[1] * tf.sigmoid(y_pred)
    [v for v in (1.0, 2.0, 3.0) if v > n - 1][0] * tf.sigmoid(y_pred)
    next(v for v in (1.0, 2.0, 3.0) if v >= n) * tf.sigmoid(y_pred)
    sum(v for k, v in {"a": 1.0, "b": n}.items()) * tf.sigmoid(y_pred)
    [1.0, 2.0, 3.0, 4.0][n:][0] * tf.sigmoid(y_pred)
    [1.0, 2.0, 3.0, 4.0][-n] * tf.sigmoid(y_pred)
    sum([1.0, 2.0, 3.0, 4.0][:n]) * tf.sigmoid(y_pred)
    len([1.0, 2.0, 3.0, 4.0][:n]) * tf.sigmoid(y_pred)
    (1.0, 2.0, 3.0, 4.0)[n:][-1] * tf.sigmoid(y_pred)
    dict(zip([1, 2, 3], [4.0, 5.0, 6.0]))[n] * tf.sigmoid(y_pred)
    dict(a=n)["a"] * tf.sigmoid(y_pred)
    dict([(n, 2.0), (1, 3.0)])[1] * tf.sigmoid(y_pred)
    (lambda k=n: k + 1)() * tf.sigmoid(y_pred)
    any(v > n for v in (1, 2)) * tf.sigmoid(y_pred)
    all([n > 1, True]) * tf.sigmoid(y_pred)
    ({1, 2} & {n, 2}).pop() * tf.sigmoid(y_pred)
    len(set([1, 1, n])) * tf.sigmoid(y_pred)
    int(str(n)) * tf.sigmoid(y_pred)
    float("1.5" if n > 1 else "2.5") * tf.sigmoid(y_pred)
    (n << 1) * tf.sigmoid(y_pred)
    (n | 4) * tf.sigmoid(y_pred)
    (~n) * tf.sigmoid(y_pred)
    (+n) * tf.sigmoid(y_pred)
    (n := n + 1) * tf.sigmoid(y_pred)
    np.sqrt(n) * tf.sigmoid(y_pred)
    math.log(n + 1) * tf.sigmoid(y_pred)
    np.log(n) + tf.sigmoid(y_pred)
    np.arange(n) * 1.0
    np.ones([n, 2])
    np.linspace(0, 1, n)
    K.one_hot(K.cast(y_true[:, 0], "int32"), n)
    K.repeat_elements(y_pred, n, axis=1)
    K.tile(y_pred, [1, n])
    K.arange(0, n)
    K.pow(y_pred, n)
    tf.nn.top_k(y_pred, k=n).values
    tf.image.resize(tf.reshape(y_pred, [-1, 2, 3, 1]), [n, n])
    tf.nn.avg_pool2d(tf.reshape(y_pred, [-1, 2, 3, 1]), n, 1, "SAME")
    tf.math.cumsum(y_pred, axis=n - 1)
    tf.reverse(y_pred, axis=[n - 1])
    tf.sequence_mask([1, 2], n)
    tf.linalg.band_part(y_pred, n, 0)
    tf.nn.softmax(y_pred, axis=n - 1)
    tf.nn.l2_normalize(y_pred, axis=n - 1)
    tf.keras.utils.to_categorical([0, 1], n)
    tf.meshgrid(tf.range(n), tf.range(2))[0]
    tf.einsum("bi,n->bin", y_pred, tf.ones(n))
"""
BODIES = """
    total = 0.0
    for i in range(n):
        total += tf.sigmoid(y_pred)
    return total
---
    total = y_pred
    for i in range(n):
        total = tf.sigmoid(total)
    return total
---
    k = 0
    total = tf.sigmoid(y_pred)
    while k < n:
        total = total * 2.0
        k += 1
    return total
---
    x = y_pred
    for i in range(n):
        x = tf.expand_dims(x, -1)
    return x
---
    if n > 1:
        y_pred = tf.reduce_sum(y_pred, axis=-1)
    return y_pred
---
    for i in range(3):
        if i >= n:
            break
        y_pred = y_pred * 2.0
    return tf.tanh(y_pred)
---
    for i in range(3):
        if i < n:
            continue
        y_pred = tf.exp(y_pred)
    return y_pred
---
    weights = [1.0] * n
    weights[0] = 5.0
    return tf.sigmoid(y_pred) * weights[-1]
---
    weights = {}
    for i in range(n):
        weights[i] = float(i)
    return tf.sigmoid(y_pred) * sum(weights.values())
---
    out = []
    while len(out) < n:
        out.append(tf.sigmoid(y_pred))
    return tf.stack(out)
---
    weights = n * [1.0] + [2.0]
    return tf.sigmoid(y_pred) * weights[0]
---
    return tf.reshape(y_pred, (1,) * n + (-1,))
---
    return tf.reshape(y_pred, [-1] + [1] * (n - 1))
---
    return tf.tile(y_pred, [1] * (n // n) + [n])
---
    return tf.ones([2] * n)
---
    return [1.0, 2.0] * tf.ones([n, 2])
---
    return tf.concat([y_pred[:, :1]] * len(range(n)), axis=-1)
---
    scale = 1.0
    for i in range(1, n):
        scale *= i
    return scale * tf.sigmoid(y_pred)
---
    a, b = tf.sigmoid(y_pred), y_pred
    for i in range(n):
        a, b = b, a
    return a
---
    def inner(x, depth):
        return x if depth == 0 else inner(tf.exp(x), depth - 1)
    return inner(y_pred, n)
---
    parts = tf.split(y_pred, 6, axis=1)
    return tf.concat(parts[:n], axis=1)
---
    mask = [i < n for i in range(6)]
    return tf.boolean_mask(y_pred, mask, axis=1)
---
    return tf.while_loop(lambda i, x: i < n, lambda i, x: (i + 1, x * 2.0), [0, tf.sigmoid(y_pred)])[1]
---
    return tf.foldl(lambda a, x: a + x, tf.ones([n]), 0.0)
---
    return tf.map_fn(lambda i: tf.sigmoid(y_pred) * i, tf.range(n, dtype=tf.float32))
"""
HEADER = "import math\nimport numpy as np\nimport tensorflow as tf\nfrom tensorflow.keras import backend as K\n"
BODY = [f"    return tf.identity({line.strip()})" for line in PROGRAMS.strip().splitlines()] + BODIES.strip("\n").split(
    "---\n"
)


def _loss(body: str, n: int | None) -> Loss:
    told = [f"n = {n}"] if n is not None else []
    lines = "\n".join([*told, "y_pred = tf.reshape(y_pred, [-1, 6])", textwrap.dedent(body)])
    return traced(f"def my_loss(y_true, y_pred, n):\n{textwrap.indent(lines, '    ')}\n", header=HEADER)


@pytest.mark.parametrize("body", BODY)
def test_what_is_told_holds_for_every_number(body: str) -> None:
    told = _loss(body, None)
    for n in (1, 2, 3):
        assert covers(told, _loss(body, n)) == [], n
