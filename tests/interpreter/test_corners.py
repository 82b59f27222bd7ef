"""Calls, attributes and operators that losses seldom need, each with what it computes."""

from __future__ import annotations

import textwrap

import pytest

from losslint.graph import Node, ancestors
from losslint.loss import Loss
from tests.traced import in_tree, ops, traced

HEADER = textwrap.dedent(
    """
    import functools
    import keras
    import numpy as np
    import tensorflow as tf
    from tensorflow.keras import backend as K


    class Total(keras.losses.Loss):
        def __init__(self, reduction="sum"):
            super().__init__(reduction=reduction)

        def call(self, y_true, y_pred):
            return tf.abs(y_true - y_pred)


    class Mean(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return tf.abs(y_true - y_pred)


    class Called(keras.losses.Loss):
        def __call__(self, y_true, y_pred):
            return tf.exp(y_pred)


    class Tools:
        factor = 3.0

        def __init__(self, power=2):
            self.power = power

        @staticmethod
        def halved(x):
            return x / 2.0

        @classmethod
        def scaled(cls, x):
            return x * cls.factor

        @property
        def squared(self):
            return self.power * self.power

        def __call__(self, x):
            return x ** self.power

        def __mul__(self, other):
            return tf.tanh(other)


    class Silent:
        pass


    def doubled(function):
        @functools.wraps(function)
        def inner(*args):
            return 2.0 * function(*args)
        return inner


    def named(label):
        def decorate(function):
            return doubled(function)
        return decorate


    @doubled
    def twice(x):
        return tf.sinh(x)


    @named("other")
    def twice_too(x):
        return tf.sinh(x)
    """
)

COMPUTED = {
    # objects of losses
    'Total()(y_true, y_pred)': "sub abs sum",
    'Total("none")(y_true, y_pred)': "sub abs",
    'Total(reduction="sum_over_batch_size")(y_true, y_pred)': "sub abs mean",
    "Mean()(y_true, y_pred)": "sub abs mean",
    "Mean().call(y_true, y_pred)": "sub abs",
    "Called()(y_true, y_pred)": "exp",
    "keras.losses.MeanSquaredError().call(y_true, y_pred)": "sub square mean",
    # methods of all kinds
    "Tools.halved(y_pred)": "div",
    "Tools().halved(y_pred)": "div",
    "Tools().scaled(y_pred)": "mul",
    "Tools.scaled(y_pred)": "mul",
    "Tools(3).squared * y_pred": "mul",
    "Tools()(y_pred)": "pow",
    "Tools().__class__(1).squared * y_pred": "mul",
    "Tools() * y_pred": "tanh",
    "Tools.factor * y_pred": "mul",
    "getattr(Tools(), 'factor') * y_pred": "mul",
    # decorators of one's own
    "twice(y_pred)": "sinh mul",
    "twice_too(y_pred)": "sinh mul",
    # what Python has of its own
    "tf.exp(y_pred) if callable(Tools) and not callable(2) else y_pred": "exp",
    "tf.exp(y_pred) if isinstance(tf.abs(y_pred), tf.Tensor) else y_pred": "exp",
    "tf.exp(y_pred) if isinstance(tf.abs(y_pred), (list, tuple)) else y_pred": "",
    "eval('twice')(y_pred)": "sinh mul",
    "sum([y_pred, y_true])": "add",
    "sum(y_pred)": "sum",
    "max(y_pred, y_true, 0.5)": "maximum maximum",
    "abs(y_pred)": "abs",
    "pow(y_pred, 2)": "pow",
    "float(y_pred)": "leaves_tensorflow",
    "len(y_pred.shape) * y_pred": "rank_of mul",
    "list(filter(None, [y_pred]))[0]": "join",
    "list(map(tf.exp, [y_pred]))[0]": "exp",
    "list(map(tf.exp, y_pred))[0]": "index exp join",
    "functools.partial(tf.add, y=y_pred)(y_true)": "add",
    "functools.lru_cache(maxsize=1)(tf.exp)(y_pred)": "exp",
    "y_pred * dict(a=2.0).setdefault('a', 3.0)": "mul",
    # texts and numbers
    'tf.cast(y_pred, "float" "64")': "cast",
    "y_pred * {'ab': 2.0}['a' 'b']": "mul",
    "y_pred * (0b11 + 0x10 + 1_0)": "mul",
    "y_pred * (+2.0)": "mul",
    "y_pred * [1.0, 2.0][True]": "mul",
    "y_pred[..., 0]": "index",
    "y_pred[tf.newaxis]": "index",
}  # fmt: skip


def _loss(expression: str) -> Loss:
    source = f"def my_loss(y_true, y_pred, alpha=None):\n    return {expression}\n"
    return traced(source, "my_loss", header=HEADER)


@pytest.mark.parametrize(("expression", "computed"), COMPUTED.items())
def test_what_is_computed(expression: str, computed: str) -> None:
    assert ops(_loss(expression)) == computed.split()


@pytest.mark.parametrize(
    "expression",
    [
        "(y_pred * 2.0)(y_true)",
        "(1, 2)(y_pred)",
        "Silent()(y_pred)",
        "Silent() + y_pred",
        "y_pred.no_such_method(y_true)",
        "tf.no_such_function(y_pred)",
        "unheard_of(y_pred)",
        "tf.nn.softmax(y_pred, no_such_keyword=1)",
        "keras.losses.MeanSquaredError().no_such_method(y_pred)",
        "Tools().no_such_method(y_pred)",
        "np.add.reduceat(y_pred, [0])",
        "(await y_pred)",
    ],
)
def test_what_is_not_known_depends_on_what_it_is_given(expression: str) -> None:
    """Nothing is said of its value, and the prediction is not lost on the way."""
    loss = _loss(expression)
    lifted = [loss.value] if isinstance(loss.value, Node) else list(getattr(loss.value, "deps", ()))
    names = {node.attrs.get("name") for node in ancestors(lifted)}
    assert "y_pred" in names or expression in ("(1, 2)(y_pred)", "Silent()(y_pred)")
    assert loss.gradients.reaches(next(n for n in loss.graph.nodes if n.attrs.get("name") == "y_pred")) != "zero"


BODIES = {
    """
    tools = Tools()
    setattr(tools, "power", 3)
    return tools(y_pred)
    """: "pow",
    """
    parts = {"a": y_pred}
    parts.update(b=tf.exp(y_pred))
    del parts["a"]
    return parts["b"]
    """: "exp",
    """
    first: float = 2.0
    later: float
    return y_pred * first
    """: "mul",
    """
    for x in [y_pred, tf.exp(y_pred)]:
        pass
    else:
        x = tf.tanh(x)
    return x
    """: "exp tanh",
    """
    with tf.name_scope("part") as scope:
        x = tf.exp(y_pred)
    return x
    """: "exp",
    """
    assert y_pred is not None, "nothing"
    try:
        x = tf.exp(y_pred)
    except ValueError:
        x = tf.tanh(y_pred)
    finally:
        pass
    return x
    """: "exp",
    """
    try:
        raise ValueError
    except ValueError:
        x = tf.tanh(y_pred)
    return x
    """: "tanh",
    """
    while True:
        x = tf.exp(y_pred)
        break
    return x
    """: "exp",
    """
    x, y = y_pred, y_true
    x, y = y, x
    return x - y
    """: "sub",
    """
    (x, *rest), last = [y_pred, y_true], 2.0
    return x * last + rest[0]
    """: "mul add",
    """
    if (scaled := y_pred * 2.0) is not None:
        return scaled
    return y_pred
    """: "mul",
    """
    match alpha:
        case None:
            return tf.exp(y_pred)
    return tf.exp(y_pred)
    """: None,
}


@pytest.mark.parametrize(("body", "computed"), BODIES.items())
def test_what_statements_compute(body: str, computed: str | None) -> None:
    lines = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    loss = traced(f"def my_loss(y_true, y_pred, alpha=None):\n{lines}\n", "my_loss", header=HEADER)
    assert computed is None or ops(loss) == computed.split()


def test_a_condition_at_the_top_of_a_module_chooses_a_star_import(tmp_path) -> None:  # type: ignore[no-untyped-def]
    files = {
        "one.py": "import tensorflow as tf\ndef helper(x):\n    return tf.exp(x)\n",
        "two.py": "import tensorflow as tf\ndef helper(x):\n    return tf.tanh(x)\n",
        "losses.py": """
            import tensorflow as tf
            NEW = True
            if not NEW:
                from one import *
            else:
                from two import *

            def my_loss(y_true, y_pred):
                return helper(y_pred)
        """,
    }
    [loss] = in_tree(tmp_path, files, "losses.py")
    assert ops(loss) == ["tanh"]


def test_names_that_are_global_or_of_a_function_around() -> None:
    loss = traced(
        """
        scale = 2.0

        def my_loss(y_true, y_pred):
            count = 1.0
            def bump():
                nonlocal count
                count = count + 2.0
                return count
            def change():
                global scale
                scale = 5.0
            change()
            bump()
            return y_pred * count * scale
        """
    )
    assert [n.attrs["value"] for n in ancestors(loss.results) if n.op == "const"] == [3.0, 5.0]


def test_frameworks_that_nobody_imports() -> None:
    loss = traced("def my_loss(y_true, y_pred):\n    return tf.exp(np.pi * y_pred)\n", header="import keras\n")
    assert ops(loss) == ["mul", "exp"]
