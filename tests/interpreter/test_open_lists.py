"""Lists of unknown length: what is told of them is true of every length that they may have."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from losslint.domain.shape import Shape
from losslint.graph import SomeOf
from losslint.loss import Loss
from tests.traced import ops, traced

MADE = {
    "comprehension": "parts = [tf.sigmoid(y_pred) for _ in range(n)]",
    "loop": """
        parts = []
        for _ in range(n):
            parts.append(tf.sigmoid(y_pred))
    """,
    "one more": "parts = [tf.sigmoid(y_pred)] + [tf.sigmoid(y_true) for _ in range(n)]",
    "as many as are told": "parts = [part for k, part in enumerate([tf.sigmoid(y_true), tf.tanh(y_pred), y_pred]) if k < n]",
    "by a function": "parts = list(map(tf.sigmoid, [y_pred] * n))",
}
USED = [
    "tf.stack(parts)",
    "tf.stack(parts, axis=-1)",
    "tf.concat(parts, axis=0)",
    "tf.concat(parts, -1)",
    "tf.add_n(parts)",
    "tf.math.accumulate_n(parts)",
    "tf.convert_to_tensor(parts)",
    "tf.reduce_sum(parts)",
    "tf.reduce_max(parts, 0)",
    "sum(parts)",
    "sum(parts, 1.0)",
    "sum(sorted([1.0 for part in parts]))",
    "max([2.0 for part in parts])",
    "min([part * 2.0 for part in parts])",
    "max(part * 2.0 for part in parts)",
    "np.stack(parts)",
    "K.stack(parts)",
    "K.concatenate(parts, axis=0)",
    "parts[-1]",
    "parts[0]",
    "tf.stack([[1.0, 2.0] for part in parts])",
    "tf.constant([1.0 for part in parts])",
    "tf.stack(list(reversed(parts)))",
    "tf.stack([part * k for k, part in enumerate(parts)])",
    "tf.zeros([3 for part in parts])",
    "tf.cast(len(parts), tf.float32)",
    "functools.reduce(tf.add, parts)",
    "functools.reduce(lambda a, b: a * b, parts, 2.0)",
    "functools.reduce(operator.add, [tf.reduce_mean(part) for part in parts], 1.0)",
    "tf.stack(list(itertools.chain(parts, [y_pred])))",
    "tf.stack(list(itertools.chain.from_iterable([[part, part] for part in parts])))",
    "tf.stack([a * b for a, b in itertools.product(parts, [1.0, 2.0])])",
    "tf.stack([2.0] + [tf.reduce_sum(a * b) for a, b in itertools.combinations(parts, 2)])",
    "tf.stack([k for k in itertools.islice([1.0, 5.0], n)])",
    "tf.stack([w for w, part in zip(itertools.cycle([1.0, 2.0]), parts)])",
    "tf.stack(list(itertools.repeat(y_pred, n)))",
    "tf.linalg.global_norm(parts)",
    "tf.clip_by_global_norm(parts, 1.0)[0][0]",
    "keras.layers.Add()(parts)",
    "keras.layers.Average()(parts)",
    "keras.layers.Maximum()(parts)",
    "keras.layers.Multiply()(parts)",
    "keras.layers.Concatenate()(parts)",
    "tf.reshape(y_pred, [-1] + [1 for _ in parts])",
    "sum(len([part]) for part in parts) * y_pred",
    "tf.stack([x for x in filter(lambda x: n > 1, [1.0, 2.0])] + [3.0])",
]


def _loss(made: str, used: str, n: int | None) -> Loss:
    lines = [f"n = {n}"] if n is not None else []
    body = "\n".join([*lines, textwrap.dedent(MADE[made]).strip(), f"return {used}"])
    header = "import functools, itertools, operator\nimport numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\nfrom tensorflow.keras import backend as K\n"
    return traced(f"def my_loss(y_true, y_pred, n):\n{textwrap.indent(body, '    ')}\n", header=header)


def covers(told: Loss, one: Loss) -> list[str]:
    """What is told of ``told``, which knows less, and is not true of ``one``."""
    a, b = _facts(told), _facts(one)
    true = {
        "shape": _fits(a["shape"], b["shape"]),
        "low": a["low"] <= b["low"],
        "high": b["high"] <= a["high"],
        "law": None in (a["law"], b["law"]) or a["law"].zero or b["law"].zero or a["law"][:2] == b["law"][:2],
        "coupling": a["coupling"] == "unknown" or b["coupling"] in ("unknown", "const", a["coupling"]),
        "gradient": a["gradient"] in ("live", "unknown", b["gradient"]) or {a["gradient"], b["gradient"]} <= _NONE,
    }
    return [f"{name} {a[name]}, not {b[name]}" for name in true if not true[name]]


_NONE = {"zero", "dead", "absent"}
"""The gradients that move nothing."""


def _facts(loss: Loss) -> dict[str, Any]:
    value = loss.graph.lift(loss.value)
    interval = loss.ranges.of(value)
    prediction = next((n for n in loss.graph.nodes if n.attrs.get("name") == "y_pred"), None)
    return {
        "shape": value.shape,
        "low": interval.low.at,
        "high": interval.high.at,
        "law": loss.laws.value(value),
        "coupling": loss.couplings.of(value).kind,
        "gradient": "absent" if prediction is None else loss.gradients.reaches(prediction),
    }


def _fits(shape: Shape, one: Shape) -> bool:
    """Whether a tensor of shape ``one`` may be told to be of ``shape``."""
    if shape.rank is None or one.rank is None:
        return one.min_rank >= shape.min_rank or one.rank is None
    pairs = zip(shape.head, one.head, strict=True) if shape.rank == one.rank else ()
    return shape.rank == one.rank and all(a.value is None or b.value is None or a == b for a, b in pairs)


@pytest.mark.parametrize("used", USED)
@pytest.mark.parametrize("made", MADE)
def test_what_is_told_holds_for_every_length(made: str, used: str) -> None:
    told = _loss(made, used, None)
    for n in (1, 2, 3):
        assert covers(told, _loss(made, used, n)) == [], n


def test_the_first_elements_are_known_where_every_way_has_them() -> None:
    grown = """
    def my_loss(y_true, y_pred, n):
        parts = [tf.exp(y_true)]
        for _ in range(n):
            parts.append(tf.sigmoid(y_pred))
        return parts[{index}]
    """
    assert ops(traced(grown.format(index=0))) == ["exp"]
    assert "sigmoid" in ops(traced(grown.format(index=1)))
    assert {"exp", "sigmoid"} <= set(ops(traced(grown.format(index=-1))))


@pytest.mark.parametrize(
    ("asked", "decided"),
    [
        ("any([True for _ in range(n)])", False),
        ("all([True for _ in range(n)])", True),
        ("any([False for _ in range(n)])", True),
        ("all([False for _ in range(n)])", False),
        ("any([False, True])", True),
        ("all([])", True),
        ("any([])", True),
    ],
)
def test_what_some_of_any_number_decide(asked: str, decided: bool) -> None:
    source = f"def my_loss(y_true, y_pred, n):\n    return tf.exp(y_pred) if {asked} else tf.sigmoid(y_pred)\n"
    assert ("join" not in ops(traced(source))) is decided


def test_an_open_list_stays_open_where_ways_meet() -> None:
    loss = traced(
        """
        def my_loss(y_true, y_pred, n, flag):
            parts = [tf.abs(y_pred) for _ in range(n)]
            if flag > 1:
                parts = [tf.exp(y_pred)]
            return parts
        """
    )
    assert isinstance(loss.value, SomeOf)


MANY = """
    parts = [y_pred * w for w in weights]
    return parts[0] - parts[1]
---
    parts = [net(y_pred) for net in nets]
    return tf.square(parts[0] - parts[1])
---
    a, b = [y_pred[:, i] for i in range(n)]
    return tf.abs(a - b)
---
    parts = []
    for i in range(n):
        parts.append(y_pred[:, i])
    return parts[0] - parts[-1]
---
    total = 0.0
    parts = [y_pred * w for w in weights]
    for a in parts:
        for b in parts:
            total += tf.abs(a - b)
    return total
---
    parts = [y_pred * w for w in weights]
    return tf.add_n([tf.abs(a - b) for a in parts for b in parts])
---
    parts = [y_pred * w for w in weights]
    return tf.add_n([tf.abs(a - b) for a, b in itertools.combinations(parts, 2)])
---
    parts = [y_pred * w for w in weights]
    return tf.add_n([tf.abs(a - b) for a, b in zip(parts, parts[1:])])
---
    parts = [{"p": y_pred * w} for w in weights]
    return parts[0]["p"] - parts[1]["p"]
---
    pairs = [(y_pred * w, y_true) for w in weights]
    return pairs[0][0] - pairs[1][0]
---
    rows = tf.TensorArray(tf.float32, size=n)
    for i in range(n):
        rows = rows.write(i, y_pred[:, i])
    return rows.read(0) - rows.read(1)
---
    kept = [y_pred[:, i] for i in range(4) if i < n]
    return kept[0] - kept[1]
---
    steps = range(n)
    total = 0.0
    for i in steps:
        for j in steps:
            total += y_pred[:, i] - y_pred[:, j]
    return total
---
    total = 0.0
    for a in weights:
        for b in weights:
            total += tf.abs(y_pred * a - y_pred * b)
    return total
---
    total = 0.0
    for k, a in enumerate(nets):
        for m, b in enumerate(nets):
            total += tf.abs(a(y_pred) - b(y_pred))
    return total
---
    total = 0.0
    for a in nets(y_pred):
        for b in nets(y_pred):
            total += tf.abs(a - b)
    return total
---
    total = 0.0
    for name, a in weights.items():
        for other, b in weights.items():
            total += y_pred * a - y_pred * b
    return total
---
    parts = list(map(lambda w: y_pred * w, weights))
    return parts[0] - parts[1]
---
    parts = sorted([tf.reduce_mean(y_pred * w) for w in weights])
    return parts[0] - parts[-1]
---
    total = 0.0
    for a in tf.unstack(y_pred, axis=1):
        for b in tf.unstack(y_pred, axis=1):
            total += a - b
    return total
---
    total = 0.0
    for a in tf.split(y_pred, n, axis=1):
        for b in tf.split(y_pred, n, axis=1):
            total += a - b
    return total
---
    total, last = 0.0, None
    for w in weights:
        if last is not None:
            total += tf.abs(y_pred * w - last)
        last = y_pred * w
    return total
---
    last = y_pred
    for net in nets:
        total = tf.abs(net(y_pred) - last)
        last = net(y_pred)
    return total
---
    views = iter(weights)
    return next(views) * y_pred - next(views) * y_pred
---
    views = iter([y_pred, tf.exp(y_pred)])
    return next(views) - next(views)
---
    parts = [y_pred * w for w in weights]
    return parts.pop() - parts.pop()
---
    parts = {k: y_pred * w for k, w in weights}
    return parts["a"] - parts["b"]
---
    parts = {k: y_pred * float(i) for i, k in enumerate(weights)}
    return tf.add_n([tf.abs(a - b) for a in parts.values() for b in parts.values()])
---
    parts = {}
    for i, k in enumerate(weights):
        parts[k] = y_pred * float(i)
    return parts["a"] - parts["b"]
---
    parts = [y_pred * w for w in weights]
    return tf.stack(parts) - tf.stack(list(reversed(parts)))
---
    parts = [y_pred * w for w in weights]
    return tf.stack(parts[1:]) - tf.stack(parts[:-1])
---
    parts = [y_pred * w for w in weights]
    parts[0] = 0.0
    return parts[1]
---
    first, *rest = [y_pred * w for w in weights]
    return first - rest[0]
---
    first, *rest = [y_pred * w for w in weights]
    return tf.add_n(rest) - first
---
    parts = [y_pred * w for w in weights]
    parts.insert(0, y_true)
    return parts[0]
---
    parts = [y_pred * w for w in weights]
    other = parts.copy()
    other.reverse()
    return parts[0] - other[0]
---
    return tf.square(nets(y_pred) - nets(y_pred))
---
    return tf.square(nets(y_pred, training=True) - nets(y_pred, training=True))
---
    return tf.nn.dropout(y_pred, 0.5) - tf.nn.dropout(y_pred, 0.5)
---
    drop = keras.layers.Dropout(0.5)
    return drop(y_pred, training=True) - drop(y_pred, training=True)
---
    return y_pred * (tf.random.normal([4]) - tf.random.normal([4]))
---
    return y_pred * (np.random.rand() - np.random.rand())
---
    return y_pred * (random.random() - random.random())
---
    return y_pred * (nets.sample() - nets.sample())
---
    return tf.py_function(nets, [y_pred], tf.float32) - tf.py_function(nets, [y_pred], tf.float32)
"""


@pytest.mark.parametrize("body", MANY.strip("\n").split("---\n"))
def test_two_of_many_are_not_taken_for_one(body: str) -> None:
    """Otherwise their difference would be 0, and so would be its gradient."""
    loss = traced(
        f"import itertools, random\nimport numpy as np\ndef my_loss(y_true, y_pred, n, weights, nets):\n{body}"
    )
    prediction = next(node for node in loss.graph.nodes if node.attrs.get("name") == "y_pred")
    assert loss.gradients.reaches(prediction) in ("live", "unknown")


@pytest.mark.parametrize("same", ["parts[0] - parts[0]", "parts[1] - parts[1]", "parts[k] - parts[k]"])
def test_an_element_is_equal_to_itself(same: str) -> None:
    source = f"def my_loss(y_true, y_pred, weights, k):\n    parts = [y_pred * w for w in weights]\n    return {same}\n"
    loss = traced(source)
    assert loss.value.op == "sub"
    assert loss.value.inputs[0].number == loss.value.inputs[1].number
