"""Names resolve from the text alone, and calls are followed wherever the linted tree has the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.traced import every, in_tree, node, ops, sources, traced

SPELLINGS = [
    ("import tensorflow as tf", "tf.math.log"),
    ("import tensorflow", "tensorflow.math.log"),
    ("import tensorflow as tf", "tf.log"),
    ("import tensorflow.compat.v1 as tf", "tf.log"),
    ("import tensorflow as tf", "tf.compat.v1.log"),
    ("import tensorflow as tf", "tf.keras.backend.log"),
    ("from tensorflow import math", "math.log"),
    ("import tensorflow.math as tfm", "tfm.log"),
    ("from tensorflow.math import log as ln", "ln"),
    ("from tensorflow.keras import backend as K", "K.log"),
    ("from keras import backend as K", "K.log"),
    ("import keras.backend as K", "K.log"),
    ("from tensorflow import keras", "keras.backend.log"),
    ("from keras import ops", "ops.log"),
    ("import keras.ops as ops", "ops.log"),
    ("import keras", "keras.ops.log"),
    (
        "try:\n    import keras.backend as K\nexcept ImportError:\n    from tensorflow.keras import backend as K",
        "K.log",
    ),
    ("from tensorflow.math import *", "log"),
]


@pytest.mark.parametrize(("header", "spelled"), SPELLINGS)
def test_every_spelling_of_a_log_is_a_log(header: str, spelled: str) -> None:
    loss = traced(f"def my_loss(y_true, y_pred):\n    return -y_true * {spelled}(y_pred)\n", header=header + "\n")
    assert "log" in ops(loss)


def test_an_alias_made_in_the_function_is_followed() -> None:
    assert "log" in ops(traced("def my_loss(y_true, y_pred):\n    ln = tf.math.log\n    return ln(y_pred)\n"))


def test_imports_inside_a_function_are_seen() -> None:
    source = "def my_loss(y_true, y_pred):\n    from tensorflow.math import log as ln\n    return ln(y_pred)\n"
    assert "log" in ops(traced(source))


def test_helpers_defaults_and_keywords() -> None:
    loss = traced(
        """
        SMOOTH = 1e-6
        def _scaled(x, factor=2.0, *, shift=SMOOTH):
            return x * factor + shift
        def my_loss(y_true, y_pred):
            return _scaled(y_pred, shift=3.0)
        """,
        "my_loss",
    )
    assert [n.attrs["value"] for n in loss.graph.nodes if n.op == "const"] == [2.0, 3.0]


def test_a_closure_sees_the_arguments_of_its_factory() -> None:
    loss = traced(
        """
        def focal(alpha=0.25, gamma=None):
            def inner(y_true, y_pred):
                weight = alpha * y_true if gamma is None else gamma
                return weight * y_pred
            return inner
        """
    )
    assert loss.name == "focal.<locals>.inner"
    assert sources(loss) == {"y_true": "label", "y_pred": "prediction"}


def test_an_argument_without_default_is_an_unknown_hyper_parameter() -> None:
    loss = traced(
        "def weighted(alpha):\n    def loss(y_true, y_pred):\n        return alpha * y_pred\n    return loss\n"
    )
    assert sources(loss)["alpha"] == "config"


def test_a_lambda_and_a_partial_are_called() -> None:
    loss = traced(
        """
        import functools
        def _power(x, n):
            return x ** n
        square = functools.partial(_power, n=2)
        def my_loss(y_true, y_pred):
            return (lambda d: square(d))(y_true - y_pred)
        """,
        "my_loss",
    )
    assert ops(loss) == ["sub", "pow"]


def test_attributes_set_in_init_are_known_in_call() -> None:
    loss = traced(
        """
        class Scaled(keras.losses.Loss):
            def __init__(self, scale=3.0, **kwargs):
                super().__init__(**kwargs)
                self.scale = scale
            def _inner(self, x):
                return x * self.scale
            def call(self, y_true, y_pred):
                return self._inner(y_true - y_pred)
        """
    )
    assert loss.consumer.kind == "keras"
    assert node(loss, "mul").inputs[1].attrs["value"] == 3.0


def test_a_class_inherits_call_helpers_from_its_base() -> None:
    loss = traced(
        """
        class Base(keras.losses.Loss):
            def distance(self, a, b):
                return tf.abs(a - b)
        class Child(Base):
            def call(self, y_true, y_pred):
                return self.distance(y_true, y_pred)
        """
    )
    assert ops(loss) == ["sub", "abs"]


def test_helper_modules_and_re_exports_of_the_tree_are_followed(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "from .parts import log_of as safe_log\n",
        "pkg/parts.py": "import tensorflow as tf\nEPS = 1e-7\ndef log_of(x):\n    return tf.math.log(x + EPS)\n",
        "train.py": "import tensorflow as tf\nfrom pkg import safe_log\nfrom pkg import parts\n"
        "def my_loss(y_true, y_pred):\n    return safe_log(y_pred) + parts.log_of(y_true)\n",
    }
    (loss,) = in_tree(tmp_path, files, "train.py")
    assert ops(loss) == ["add", "log", "add", "log", "add"]


def test_the_last_import_of_a_name_wins(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "from .plain import utils\nfrom .tf import *\n",
        "pkg/plain/__init__.py": "",
        "pkg/plain/utils.py": "",
        "pkg/tf/__init__.py": "from . import utils\n",
        "pkg/tf/utils.py": "import tensorflow as tf\ndef sq(x):\n    return tf.square(x)\n",
        "train.py": "import tensorflow as tf\nimport pkg as p\ndef my_loss(y_true, y_pred):\n    return p.utils.sq(y_pred)\n",
    }
    (loss,) = in_tree(tmp_path, files, "train.py")
    assert ops(loss) == ["square"]


def test_a_relative_import_of_a_sibling_is_followed(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/helpers.py": "import tensorflow as tf\ndef sq(x):\n    return tf.square(x)\n",
        "pkg/losses.py": "import tensorflow as tf\nfrom .helpers import sq\ndef my_loss(y_true, y_pred):\n    return sq(y_pred)\n",
    }
    (loss,) = in_tree(tmp_path, files, "pkg/losses.py")
    assert ops(loss) == ["square"]


def test_a_name_nobody_binds_is_a_captured_source_and_never_an_error() -> None:
    loss = traced("def my_loss(y_true, y_pred):\n    return y_pred * tf.exp(z_mean) + beta\n")
    assert sources(loss) == {"y_pred": "prediction", "z_mean": "captured", "beta": "config"}


def test_recursion_ends() -> None:
    loss = traced("def my_loss(y_true, y_pred):\n    return my_loss(y_true, y_pred * 0.5)\n")
    assert "opaque" in ops(loss)


def test_a_custom_gradient_is_trusted() -> None:
    loss = traced(
        """
        @tf.custom_gradient
        def hard(x):
            def grad(upstream):
                return upstream
            return tf.round(x), grad
        def my_loss(y_true, y_pred):
            return tf.abs(y_true - hard(y_pred))
        """,
        "my_loss",
    )
    assert "straight_through" in ops(loss)
    assert loss.gradients.reaches(loss.graph.nodes[1]) == "live"
    assert str(loss.laws.value(loss.results[0])) == "law 0"
    assert loss.couplings.of(loss.results[0]).kind == "row"


def test_a_decorated_loss_is_found() -> None:
    source = "@tf.function\ndef my_loss(y_true, y_pred):\n    return tf.abs(y_true - y_pred)\n"
    assert ops(traced(source)) == ["sub", "abs"]


def test_what_a_tape_differentiates_is_a_loss() -> None:
    found = every(
        """
        class Net(keras.Model):
            def train_step(self, data):
                x, y = data
                with tf.GradientTape() as tape:
                    p = self(x, training=True)
                    total = tf.reduce_sum(tf.square(y - p))
                grads = tape.gradient(total, self.trainable_variables)
                return {}
        """
    )
    assert [(loss.name, loss.consumer.kind) for loss in found] == [("Net.train_step", "tape")]
    assert ops(found[0]) == ["model", "sub", "square", "sum"]


def test_a_penalty_gradient_inside_a_loss_is_no_loss_of_its_own() -> None:
    found = every(
        """
        def gradient_penalty(critic, real, fake):
            mixed = 0.5 * real + 0.5 * fake
            with tf.GradientTape() as tape:
                tape.watch(mixed)
                score = critic(mixed)
            slope = tape.gradient(score, mixed)
            return tf.reduce_mean((tf.sqrt(tf.reduce_sum(slope ** 2, axis=[1, 2, 3])) - 1.0) ** 2)
        """
    )
    assert [loss.consumer.kind for loss in found] == ["unknown"]
    assert "gradient_of" in ops(found[0])


def test_minimize_at_module_level() -> None:
    found = every(
        """
        x = tf.placeholder(tf.float32, [None, 784])
        y = tf.placeholder(tf.float32, [None, 10])
        W = tf.Variable(tf.zeros([784, 10]))
        pred = tf.nn.softmax(tf.matmul(x, W))
        cost = tf.reduce_mean(-tf.reduce_sum(y * tf.log(pred), 1))
        optimizer = tf.train.GradientDescentOptimizer(0.01).minimize(cost)
        """
    )
    assert [(loss.name, loss.consumer.kind) for loss in found] == [("<module>", "tape")]
    assert "log" in ops(found[0])


def test_letters_that_stand_alone_are_no_hyper_parameters() -> None:
    loss = traced("def my_loss(a, b):\n    return tf.reduce_sum(tf.square(a - b))\n")
    assert sources(loss) == {"a": "argument", "b": "argument"}
    assert loss.laws.value(loss.results[0]) is None


def test_statements_that_share_a_row_are_told_apart() -> None:
    source = "A = tf.reduce_sum; B = tf.reduce_mean\ndef my_loss(y_true, y_pred):\n    return B(y_pred) - A(y_true)\n"
    assert [op for op in ops(traced(source)) if op in ("sum", "mean")] == ["mean", "sum"]


def test_bases_are_searched_as_python_does() -> None:
    source = """
        class Base(tf.keras.losses.Loss):
            def terms(self, x):
                return tf.reduce_sum(x)
        class Left(Base):
            pass
        class Right(Base):
            def terms(self, x):
                return tf.reduce_mean(x)
        class Both(Left, Right):
            def call(self, y_true, y_pred):
                return self.terms(y_true - y_pred)
    """
    found = ops(traced(source, "Both.call"))
    assert "mean" in found and "sum" not in found
