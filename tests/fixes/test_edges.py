"""What fixes write exactly, case by case, and where none is offered: for what may be meant, or what it would break."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fixes.fixed import check, fixed_text

HEAD = "import tensorflow as tf\n\n\n"
KERAS = "\n\nmodel = tf.keras.Sequential()\nmodel.compile('adam', loss=loss)\nmodel.fit(x, y, sample_weight=w)\n"
TAPE = "def train(model, x, y):\n    with tf.GradientTape() as tape:\n        loss = tf.square(model(x) - y)\n"
COSINE = "s = tf.reduce_sum(tf.nn.l2_normalize(y_true, -1) * tf.nn.l2_normalize(y_pred, -1), -1)"
DICE = "def dice_loss(y_true, y_pred):\n    i = tf.reduce_sum(y_true * y_pred)\n    n = tf.reduce_sum(y_true + y_pred) + 1.0\n"


class Case(NamedTuple):
    """``rows`` of a file, in which ``code`` is found, and what the fix of that replaces by what."""

    code: str
    rows: str
    edits: tuple[tuple[str, str], ...] = ()

    @property
    def after(self) -> str:
        text = self.rows
        for old, new in self.edits:
            assert old in text, old
            text = text.replace(old, new)
        return text


def loss(*rows: str, head: str = HEAD, keras: bool = False) -> str:
    """A loss of these rows; ``keras``: that a model is trained with, with sample weights."""
    return head + "\n    ".join(("def loss(y_true, y_pred):", *rows)) + "\n" + (KERAS if keras else "")


def keras_loss(*rows: str, base: str = "tf.keras.losses.Loss", call: str = "tf.square(y_true - y_pred)") -> str:
    """A class with these rows, and what its ``call`` returns."""
    body = (f"class L({base}):", *rows, "def call(self, y_true, y_pred):", f"    return {call}")
    return HEAD + "\n    ".join(body) + "\n"


def quantile(*rows: str) -> str:
    """Rows that fill ``losses``, which a model is compiled with."""
    return HEAD + "\n".join(("losses = []", *rows, "tf.keras.Sequential().compile('adam', loss=losses)", ""))


SCALED = "    return self.a * tf.square(y_true - y_pred)"
PINBALL = "tf.maximum(q * (y - p), (q - 1.0) * (y - p))"
FIXED = {
    # -- LL104: the batch axis is left to Keras
    "a sum of vectors keeps together in a product": Case(
        "LL104",
        loss("d = y_pred[:, 0] - y_true[:, 0]", "return 2.0 * tf.reduce_mean(tf.square(d) + tf.abs(d))", keras=True),
        (("tf.reduce_mean(tf.square(d) + tf.abs(d))", "(tf.square(d) + tf.abs(d))"),),
    ),
    "a product of vectors keeps its sign": Case(
        "LL104",
        loss("d = y_pred[:, 0] - y_true[:, 0]", "return -tf.reduce_mean(input_tensor=d * d + d) / 2.0", keras=True),
        (("tf.reduce_mean(input_tensor=d * d + d)", "(d * d + d)"),),
    ),
    "what nothing stands beside needs no parentheses": Case(
        "LL104",
        loss("d = y_pred[:, 0] - y_true[:, 0]", "return tf.reduce_mean(d * d + d)", keras=True),
        (("tf.reduce_mean(d * d + d)", "d * d + d"),),
    ),
    "what goes over rows does": Case(
        "LL104",
        loss("d = y_pred[:, 0]", "return tf.reduce_mean(", "    tf.square(d)", "    + tf.abs(d)", ")", keras=True),
        (("tf.reduce_mean(\n        tf.square(d)\n        + tf.abs(d)\n    )", "(tf.square(d)\n        + tf.abs(d))"),),
    ),
    "a mean, subtracted": Case(
        "LL104",
        loss("return 1.0 - tf.reduce_mean(y_true * y_pred)", keras=True),
        (("y_true * y_pred)", "y_true * y_pred, axis=-1)"),),
    ),
    # -- LL101: the mean of what is differentiated
    "a loss that is returned as well": Case(
        "LL101",
        f"{HEAD}{TAPE}    grads = tape.gradient(loss, model.trainable_variables)\n    return loss\n",
        (("tf.square(model(x) - y)", "tf.reduce_mean(tf.square(model(x) - y))"),),
    ),
    # -- LL110
    "the same axis, dropped twice": Case(
        "LL110",
        loss(
            "s = tf.reduce_sum(y_pred, axis=-1, keepdims=True)",
            "return tf.square(tf.squeeze(s) - y_true[:, 0]) + tf.abs(tf.squeeze(s) - y_true[:, 1])",
            keras=True,
        ),
        (("tf.squeeze(s)", "tf.squeeze(s, axis=-1)"),),
    ),
    # -- LL302
    "a sum in a list": Case(
        "LL302",
        loss("return tf.add_n([tf.reduce_sum(tf.square(y_true - y_pred))])"),
        (("reduce_sum", "reduce_mean"),),
    ),
    "a sum whose value is used twice": Case(
        "LL302",
        loss("s = tf.reduce_sum(tf.square(y_true - y_pred))", "return s + 2.0 * s"),
        (("reduce_sum", "reduce_mean"),),
    ),
    # -- LL306
    "get_shape": Case(
        "LL306",
        loss("n = y_pred.get_shape()[0]", "return tf.reduce_sum(tf.square(y_true - y_pred)) / n", keras=True),
        (("y_pred.get_shape()[0]", "tf.cast(tf.shape(y_pred)[0], y_pred.dtype)"),),
    ),
    "as_list": Case(
        "LL306",
        loss("n = y_pred.get_shape().as_list()[0]", "return tf.reduce_sum(tf.abs(y_true - y_pred)) / n", keras=True),
        (("y_pred.get_shape().as_list()[0]", "tf.cast(tf.shape(y_pred)[0], y_pred.dtype)"),),
    ),
    "one extent, asked for in two rows": Case(
        "LL306",
        loss(
            "a = tf.reshape(y_true, (y_pred.shape[0], -1))",
            "b = tf.reshape(y_pred, (y_pred.shape[0], -1))",
            "return tf.reduce_mean(tf.square(a - b), -1)",
            keras=True,
        ),
        (("y_pred.shape[0]", "tf.shape(y_pred)[0]"),),
    ),
    "one extent, for two ends": Case(
        "LL306",
        loss(
            "return tf.reshape(tf.square(y_true - y_pred), (y_pred.shape[0], -1)) / y_pred.shape[0]",
            keras=True,
        ),
        (
            ("(y_pred.shape[0], -1)", "(tf.shape(y_pred)[0], -1)"),
            ("/ y_pred.shape[0]", "/ tf.cast(tf.shape(y_pred)[0], y_pred.dtype)"),
        ),
    ),
    "int_shape": Case(
        "LL306",
        loss(
            "n = K.int_shape(y_pred)[0]",
            "return K.sum(K.square(y_true - y_pred)) / n",
            head=f"{HEAD}from tensorflow.keras import backend as K\n",
            keras=True,
        ),
        (("K.int_shape(y_pred)[0]", "K.cast(K.shape(y_pred)[0], y_pred.dtype)"),),
    ),
    # -- LL401, LL402, LL403
    "log1p": Case(
        "LL401",
        loss("p = tf.nn.softmax(y_pred)", "return -tf.reduce_mean(y_true * tf.math.log1p(-p))"),
        (("log1p(-p)", "log1p(tf.maximum(-p, 1e-7 - 1.0))"),),
    ),
    "an epsilon under a root": Case(
        "LL402",
        loss("p = tf.nn.sigmoid(y_pred)", "return tf.reduce_mean(tf.sqrt(1.0 - p + 1e-9))"),
        (("1.0 - p + 1e-9", "tf.maximum(1.0 - p, 1e-9)"),),
    ),
    "an epsilon in a denominator": Case(
        "LL402",
        loss("p = tf.nn.softmax(y_pred)", "q = 1.0 - p + 1e-9", "return tf.reduce_mean(y_true / q)"),
        (("/ q", "/ tf.maximum(q, 1e-7)"),),
    ),
    "an epsilon with a name": Case(
        "LL402",
        loss(
            "p = tf.nn.softmax(y_pred)",
            "return -tf.reduce_mean(tf.math.log(1.0 - p + EPS))",
            head=f"{HEAD}EPS = 1e-9\n",
        ),
        (("log(1.0 - p + EPS)", "log(tf.maximum(1.0 - p + EPS, 1e-7))"),),
    ),
    "a bound with a name": Case(
        "LL402",
        loss(
            "p = tf.clip_by_value(tf.nn.softmax(y_pred), EPS, 1.0 - EPS)",
            "return -tf.reduce_mean(tf.math.log(1.0 - p))",
            head=f"{HEAD}EPS = 1e-9\n",
        ),
        (("log(1.0 - p)", "log(tf.maximum(1.0 - p, 1e-7))"),),
    ),
    "one of two bounds": Case(
        "LL402",
        loss(
            "p = tf.clip_by_value(tf.nn.softmax(y_pred), 1e-6, 1.0 - 1e-9)",
            "return -tf.reduce_mean(tf.math.log(1.0 - p))",
        ),
        (("1e-9", "1e-7"),),
    ),
    "what float16 cannot hold": Case(
        "LL402",
        loss(
            "p = tf.cast(tf.nn.softmax(y_pred), tf.float16)",
            "return -tf.reduce_mean(tf.math.log(1.0 - p + 1e-9))",
        ),
        (("log(1.0 - p + 1e-9)", "log(tf.maximum(1.0 - p + 1e-9, 1e-3))"),),
    ),
    "what it can": Case(
        "LL402",
        loss(
            "p = tf.cast(tf.nn.softmax(y_pred), tf.float16)",
            "return -tf.reduce_mean(tf.math.log(1.0 - p + 1e-5))",
        ),
        (("log(1.0 - p + 1e-5)", "log(tf.maximum(1.0 - p, 1e-5))"),),
    ),
    "the sigmoid of a sum": Case(
        "LL402",
        loss("p = tf.sigmoid(y_pred * 2.0 + 1.0)", "return -tf.reduce_mean(tf.math.log(1.0 - p + 1e-9))"),
        (("tf.math.log(1.0 - p + 1e-9)", "tf.math.log_sigmoid(-(y_pred * 2.0 + 1.0))"),),
    ),
    "the sigmoid of what is another value by then": Case(
        "LL402",
        loss(
            "p = tf.sigmoid(y_pred)",
            "y_pred = y_pred * 2.0",
            "return -tf.reduce_mean(tf.math.log(1.0 - p + 1e-9) * y_pred)",
        ),
        (("log(1.0 - p + 1e-9)", "log(tf.maximum(1.0 - p, 1e-9))"),),
    ),
    "a clip that is left something to do": Case(
        "LL403",
        loss("p = tf.sigmoid(y_pred)", "return -tf.reduce_mean(tf.clip_by_value(tf.math.log(p), -10.0, 0.0))"),
        (("log(p)", "log(tf.clip_by_value(p, 1e-7, 1.0))"),),
    ),
    # -- LL405
    "a product in the denominator": Case(
        "LL405",
        loss("n = tf.reduce_sum(y_true)", "return tf.reduce_mean(tf.abs(y_pred)) / (n * 2.0) + 1e-7"),
        (("(n * 2.0) + 1e-7", "(n * 2.0 + 1e-7)"),),
    ),
    "a choice in the denominator": Case(
        "LL405",
        loss("n = tf.reduce_sum(y_true)", "return tf.reduce_mean(tf.abs(y_pred)) / (n if n is not None else n) + 1e-7"),
        (("(n if n is not None else n) + 1e-7", "((n if n is not None else n) + 1e-7)"),),
    ),
    # -- LL407
    "a branch by keyword": Case(
        "LL407",
        loss("d = tf.nn.relu(y_pred)", "return tf.reduce_mean(tf.where(condition=d > 0, x=tf.math.log(d), y=0.0))"),
        (("log(d)", "log(tf.where(d > 0, d, tf.ones_like(d)))"),),
    ),
    "the other branch": Case(
        "LL407",
        loss("d = tf.nn.relu(y_pred)", "return tf.reduce_mean(tf.where(tf.equal(d, 0.0), 0.0, y_true / d))"),
        (("/ d", "/ tf.where(tf.equal(d, 0.0), tf.ones_like(d), d)"),),
    ),
    "an angle": Case(
        "LL407",
        loss(
            "c = tf.clip_by_value(y_pred, -1.0, 1.0)",
            "return tf.reduce_mean(tf.where(tf.abs(c) < 1.0, tf.acos(c), 0.0))",
        ),
        (("acos(c)", "acos(tf.where(tf.abs(c) < 1.0, c, tf.zeros_like(c)))"),),
    ),
    # -- LL408
    "the sum of probabilities": Case(
        "LL408",
        loss("p = tf.nn.softmax(y_pred)", "return -tf.reduce_mean(y_true * tf.nn.softmax(p + 0.0))"),
        (("tf.nn.softmax(p + 0.0)", "(p + 0.0)"),),
    ),
    "two uses of one softmax": Case(
        "LL408",
        loss(
            "p = tf.nn.softmax(y_pred)",
            "a = tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=p)",
            "return a - tf.nn.softmax_cross_entropy_with_logits(labels=1.0 - y_true, logits=p)",
        ),
        (("logits=p", "logits=y_pred"),),
    ),
    # -- LL409
    **{
        f"{before} is {after}": Case(
            "LL409",
            loss(f"return -tf.reduce_mean(y_true * tf.math.{before})"),
            ((f"tf.math.{before}", after),),
        )
        for before, after in {
            "log(tf.nn.softmax(y_pred, 1))": "tf.nn.log_softmax(y_pred, axis=1)",
            "log(tf.nn.softmax(y_pred, name='p'))": "tf.nn.log_softmax(y_pred)",
            "log(tf.nn.softmax(axis=-1, logits=y_pred))": "tf.nn.log_softmax(y_pred, axis=-1)",
            "log1p(tf.exp(-y_pred))": "tf.math.softplus(-y_pred)",
            "log(tf.reduce_sum(tf.exp(y_pred), -1, True))": "tf.reduce_logsumexp(y_pred, axis=-1, keepdims=True)",
        }.items()
    },
    "a name that stands beside another statement": Case(
        "LL409",
        loss("p = tf.nn.softmax(y_pred); q = 1.0", "return -tf.reduce_mean(y_true * tf.math.log(p)) * q"),
        (("tf.math.log(p)", "tf.nn.log_softmax(y_pred)"),),
    ),
    "a name that has a comment": Case(
        "LL409",
        loss("p = tf.nn.softmax(y_pred)  # probabilities", "return -tf.reduce_mean(y_true * tf.math.log(p))"),
        (("tf.math.log(p)", "tf.nn.log_softmax(y_pred)"),),
    ),
    "a name that is used once more": Case(
        "LL409",
        loss("p = tf.nn.softmax(y_pred)", "return -tf.reduce_mean(y_true * tf.math.log(p) + p)"),
        (("tf.math.log(p)", "tf.nn.log_softmax(y_pred)"),),
    ),
    "a name that is not": Case(
        "LL409",
        loss("e = tf.exp(-y_pred)", "return tf.reduce_mean(tf.math.log(1.0 + e))"),
        (("    e = tf.exp(-y_pred)\n", ""), ("tf.math.log(1.0 + e)", "tf.math.softplus(-y_pred)")),
    ),
    # -- LL412
    "a similarity beside a constant": Case(
        "LL412",
        HEAD + DICE + "    return 1.0 + (2.0 * i + 1.0) / n\n",
        (("1.0 + (2.0", "1.0 - (2.0"),),
    ),
    "a similarity in parentheses": Case(
        "LL412", HEAD + DICE + "    return(i + 1.0) / n\n", (("return(i + 1.0)", "return 1.0 - (i + 1.0)"),)
    ),
    **{
        f"a similarity in {before}": Case(
            "LL412",
            loss(COSINE, f"return {before}", head=HEAD).replace("loss(", "cosine_loss("),
            ((f"return {before}", f"return {after}"),),
        )
        for before, after in {
            "s": "1.0 - s",
            "tf.reduce_mean(s)": "1.0 - tf.reduce_mean(s)",
            "2.0 * s": "-2.0 * s",
            "1.0 + s + 0.0": "-(1.0 + s + 0.0)",
            "1.0 - -s": "1.0 + -s",
            "1.0 - (0.0 - s)": "1.0 + (0.0 - s)",
            "-(-s)": "(-s)",
        }.items()
    },
    # -- LL504, LL505, LL506
    "two arguments by position": Case(
        "LL504",
        keras_loss("def __init__(self):", "    super().__init__('sum', 'l')"),
        (("'sum', 'l'", "reduction='sum', name='l'"),),
    ),
    "a constructor that begins with a condition": Case(
        "LL505",
        keras_loss("def __init__(self, a):", '    """Doc."""', "    # why", "    if a:", "        print(a)"),
        (("        if a:", "        super().__init__()\n        if a:"),),
    ),
    "a constructor that begins with a decorator": Case(
        "LL505",
        keras_loss("def __init__(self):", "    @tf.function", "    def f(x):", "        return x", "    print(f)"),
        (("        @tf.function", "        super().__init__()\n        @tf.function"),),
    ),
    "a constructor with keywords": Case(
        "LL505",
        keras_loss("def __init__(self, **rest):", "    print(1); print(2)"),
        (("        print(1)", "        super().__init__(**rest)\n        print(1)"),),
    ),
    "a dictionary with a comma behind it": Case(
        "LL506",
        keras_loss(
            "def __init__(self, a=1.0, **rest):",
            "    super().__init__(**rest)",
            "    self.a = a",
            "def get_config(self):",
            "    return {",
            "        **super().get_config(),",
            "    }",
            call="self.a * y_pred",
        ),
        (("**super().get_config(),", '**super().get_config(), "a": self.a,'),),
    ),
    "what a call returns": Case(
        "LL506",
        keras_loss(
            "def __init__(self, a=1.0, b=1.0):",
            "    super().__init__()",
            "    self.a, self.b = a, b",
            "    self.a = a",
            "    self.b = b",
            "def get_config(self):",
            "    return dict(super().get_config(), a=self.a)",
            call="self.a * self.b * y_pred",
        ),
        (("dict(super().get_config(), a=self.a)", '{**dict(super().get_config(), a=self.a), "b": self.b}'),),
    ),
    "tabs": Case(
        "LL506",
        keras_loss(
            "def __init__(self, a):", "    super().__init__()", "    self.a = a", call="self.a * y_pred"
        ).replace("    ", "\t"),
        (("self.a * y_pred\n", 'self.a * y_pred\n\n\tdef get_config(self):\n\t\treturn {"a": self.a}\n'),),
    ),
    "more than fits in a row": Case(
        "LL506",
        keras_loss(
            "def __init__(self, first_weight, second_weight, **kwargs):",
            "    super().__init__(**kwargs)",
            "    self.first_weight = first_weight",
            "    self.second_weight = second_weight",
            call="y_pred",
        ),
        (
            (
                "return y_pred\n",
                "return y_pred\n\n    def get_config(self):\n        return {\n            **super().get_config(),\n"
                '            "first_weight": self.first_weight,\n            "second_weight": self.second_weight,\n'
                "        }\n",
            ),
        ),
    ),
    # -- LL509, LL510
    "a lambda of a loop": Case(
        "LL509",
        quantile("for q in (0.1, 0.9):", f"    losses.append(lambda y, p: {PINBALL})"),
        (("lambda y, p:", "lambda y, p, q=q:"),),
    ),
    "a function of a loop, with annotations": Case(
        "LL509",
        quantile(
            "for q in (0.1, 0.9):",
            "    def loss(y: tf.Tensor, p: tf.Tensor):",
            f"        return {PINBALL}",
            "    losses.append(loss)",
        ),
        (("p: tf.Tensor)", "p: tf.Tensor, q=q)"),),
    ),
    "labels and predictions before an argument by position": Case(
        "LL510",
        loss("return tf.keras.losses.binary_crossentropy(y_pred * 0.5, y_true, False)", keras=True),
        (("y_pred * 0.5, y_true, False", "y_true, y_pred * 0.5, False"),),
    ),
}

LEFT = {
    "a quotient of a mean": Case("LL104", loss("return 1.0 / tf.reduce_mean(tf.exp(y_true * y_pred))", keras=True)),
    "two means": Case(
        "LL104",
        loss("d = y_true - y_pred", "return tf.reduce_mean(d * d) + tf.reduce_mean(tf.abs(d))", keras=True),
    ),
    "a mean with another argument": Case("LL104", loss("return tf.reduce_mean(y_pred, keepdims=False)", keras=True)),
    "a mean of all pixels": Case(
        "LL104", loss("d = tf.reshape(y_true - y_pred, (-1,))", "return tf.reduce_mean(d * d)", keras=True)
    ),
    "a mean of what is transposed": Case(
        "LL104", loss("d = tf.transpose(y_true[:, :3] - y_pred[:, :3])", "return tf.reduce_mean(d * d)", keras=True)
    ),
    "a mean of an object": Case("LL104", loss("return tf.keras.losses.MeanSquaredError()(y_true, y_pred)", keras=True)),
    "a variance": Case("LL104", loss("return tf.math.reduce_variance(y_true - y_pred)", keras=True)),
    **{
        f"a tape's loss, and {rest.strip()!r}": Case(
            "LL101", f"{HEAD}{TAPE}{rest}    return tape.gradient(loss, model.trainable_variables)\n"
        )
        for rest in (
            "    print(loss)\n",
            "    print(loss[0])\n",
            "    print(tf.reduce_mean(loss, 0))\n",
            "    if loss is None:\n        loss = 0\n",
        )
    },
    "two names for a tape's loss": Case(
        "LL101",
        HEAD + TAPE.replace("loss =", "loss = other =") + "    return tape.gradient(loss, model.trainable_variables)\n",
    ),
    "a squeeze with another argument": Case(
        "LL110",
        loss(
            "s = tf.reduce_sum(y_pred, axis=-1, keepdims=True)",
            "return tf.square(tf.squeeze(s, name='s') - y_true[:, 0])",
            keras=True,
        ),
    ),
    # what is left of the sum would outweigh the mean
    "two sums": Case("LL302", loss("d = y_true - y_pred", "return tf.reduce_sum(d * d) + tf.reduce_sum(tf.abs(d))")),
    "the same sum twice": Case(
        "LL302", loss("d = y_true - y_pred", "return tf.reduce_sum(d * d) + 2.0 * tf.reduce_sum(d * d)")
    ),
    "a sum by another name": Case("LL302", loss("total = tf.reduce_sum", "return total(tf.square(y_true - y_pred))")),
    "a sum in a product of matrices": Case(
        "LL302",
        loss(
            "d = tf.reshape(y_true - y_pred, (1, -1))", "return tf.squeeze(tf.matmul(d, d, transpose_b=True), [0, 1])"
        ),
    ),
    "a sum in Python": Case("LL302", loss("return sum(tf.unstack(tf.reduce_sum(tf.square(y_true - y_pred), -1)))")),
    "half a sum": Case("LL302", loss("return tf.nn.l2_loss(y_true - y_pred)")),
    **{
        f"a batch size as {extent}": Case(
            "LL306", loss(*rows, f"return tf.reduce_sum(tf.square(y_true - y_pred)) / {extent}", keras=True)
        )
        for extent, rows in {
            "len(y_pred)": (),
            "float(y_pred.shape[0])": (),
            "(2.0 * y_pred.shape[0])": (),
            "(y_pred.shape[0] + 1)": (),
            "y_pred.shape[i]": ("i = 0",),
            "n": ("n, m = y_pred.shape",),
            "m": ("m, n = y_pred.shape[0], y_pred.shape[1]",),
            "k": ("k = n = y_pred.shape[0]",),
            "[y_pred.shape[0]][0]": (),
        }.items()
    },
    "a batch size, multiplied with integers": Case(
        "LL306",
        loss(
            "n = tf.reduce_sum(tf.cast(y_true, tf.int32)) * y_pred.shape[0]",
            "return tf.reduce_sum(tf.square(y_true - y_pred)) / tf.cast(n, tf.float32)",
            keras=True,
        ),
    ),
    **{
        f"an epsilon in {written}": Case("LL402", loss("p = tf.sigmoid(y_pred)", f"return tf.reduce_mean({written})"))
        for written in (
            "(1.0 - p + 1e-9) ** 0.5",
            "tf.math.log1p(1e-9 - p)",
            "tf.math.xlog1py(y_true, 1e-9 - p)",
            "tf.divide(p, 1.0 - p + 1e-9)",
        )
    },
    "no name for the maximum": Case(
        "LL402",
        loss(
            "return -reduce_mean(log(1.0 - softmax(y_pred) + 1e-9))",
            head="from tensorflow import reduce_mean\nfrom tensorflow.math import log\nfrom tensorflow.nn import softmax\n",
        ),
    ),
    "a logarithm of what is negative over a range": Case(
        "LL403", loss("return -tf.reduce_mean(tf.maximum(tf.math.log(tf.tanh(y_pred)), -100.0))")
    ),
    **{
        f"an epsilon outside of the denominator: {written}": Case(
            "LL405", loss("n = tf.reduce_sum(y_true)", "m = tf.reduce_mean(tf.abs(y_pred))", f"return {written}")
        )
        for written in ("(m / n) + 1e-7", "1e-7 + m / n", "tf.divide(m, n) + 1e-7", "tf.add(m / n, 1e-7)")
    },
    "an epsilon of a quotient with a name": Case(
        "LL405", loss("q = tf.reduce_mean(tf.abs(y_pred)) / tf.reduce_sum(y_true)", "return q + 1e-7")
    ),
    "an epsilon behind a comment": Case(
        "LL405",
        loss("n = tf.reduce_sum(y_true)", "return (tf.reduce_mean(y_pred) / n  # how many", "        + 1e-7)"),
    ),
    **{
        f"a trap in {written}": Case(
            "LL407", loss("d = tf.nn.relu(y_pred)", *rows, f"return tf.reduce_mean({written})")
        )
        for written, rows in {
            "tf.where(d > 0, tf.divide(y_true, d), 0.0)": (),
            "tf.where(m, v, 0.0)": ("m = d > 0", "v = tf.math.log(d)", "m = tf.logical_and(m, y_true > 0)"),
            "tf.where(tf.math.is_finite(v), v, 0.0)": ("v = tf.math.log(d)",),
            "tf.math.multiply_no_nan(tf.math.log(d), tf.cast(d > 0, tf.float32))": (),
            "tf.where(*a)": ("a = (d > 0, tf.math.log(d), tf.zeros_like(d))",),
        }.items()
    },
    "no name for ones": Case(
        "LL407",
        loss(
            "return reduce_mean(where(relu(y_pred) > 0, log(relu(y_pred)), 0.0))",
            head="from tensorflow import reduce_mean, where\nfrom tensorflow.math import log\nfrom tensorflow.nn import relu\n",
        ),
    ),
    **{
        f"an activation of {written}": Case(
            "LL408", loss(*rows, f"return tf.nn.softmax_cross_entropy_with_logits(y_true, {written})")
        )
        for written, rows in {
            "act(y_pred)": ("act = tf.nn.softmax",),
            "tf.keras.layers.Softmax()(y_pred)": (),
            "p": ("p = tf.nn.softmax(y_pred)", "y_pred = y_pred + 1.0"),
            "tf.nn.softmax(y_pred, axis=1)": (),
            "tf.reshape(tf.nn.softmax(y_pred), (-1, 3))": (),
        }.items()
    },
    "an activation by another name": Case(
        "LL408", loss("act = tf.sigmoid", "return tf.reduce_mean(tf.square(y_true - act(tf.sigmoid(y_pred))))")
    ),
    **{
        f"a logarithm of {written}": Case(
            "LL409", loss(*rows, f"return -tf.reduce_mean(y_true * tf.math.log({written}))")
        )
        for written, rows in {
            "tf.nn.softmax(y_pred, -1, 'p')": (),
            "tf.nn.softmax(*a)": ("a = (y_pred,)",),
            "tf.reduce_sum(tf.exp(y_pred), axis=-1, keepdims=True, name='z')": (),
            "tf.reduce_sum(tf.exp(y_pred), -1, True, 'z')": (),
            "tf.reduce_sum(e, axis=-1, keepdims=True)": ("e = tf.exp(y_pred)", "y_pred = y_pred + 1.0"),
            "p": ("p = tf.nn.softmax(tf.concat([y_pred, y_pred], 0))",),
            "q": ("q = tf.nn.softmax(z := y_pred * 2.0)",),
        }.items()
    },
    "a softplus whose exponential has a name": Case(
        "LL409", loss("return tf.reduce_mean(tf.math.log1p(tf.exp(-y_pred, name='e')))")
    ),
    "a logarithm in a variable": Case(
        "LL409", loss("ln = tf.math.log", "return -tf.reduce_mean(y_true * ln(tf.nn.softmax(y_pred)))")
    ),
    "no name for logsumexp": Case(
        "LL409",
        loss(
            "return reduce_mean(log(reduce_sum(exp(y_pred), axis=-1)))",
            head="from tensorflow import exp, reduce_mean, reduce_sum\nfrom tensorflow.math import log\n",
        ),
    ),
    "logits of an attribute that is set again": Case(
        "LL409",
        keras_loss(call="self.a(y_pred)").replace(
            "        return self.a(y_pred)",
            "        p = tf.nn.softmax(y_pred * self.t)\n        self.t = 3.0\n        return -y_true * tf.math.log(p)",
        ),
    ),
    "logits of a global name": Case(
        "LL409",
        loss(
            "global scale",
            "p = tf.nn.softmax(y_pred * scale)",
            "scale = 3.0",
            "return -tf.reduce_mean(y_true * tf.math.log(p))",
            head=f"{HEAD}scale = 2.0\n",
        ),
    ),
    "a constructor of starred arguments": Case(
        "LL504", keras_loss("def __init__(self, *a):", "    super().__init__('sum', *a)")
    ),
    "an argument that is given twice": Case(
        "LL504", keras_loss("def __init__(self):", "    super().__init__('sum', reduction='sum')")
    ),
    "a constructor that is a docstring": Case("LL505", keras_loss("def __init__(self):", '    """Nothing."""')),
    "a constructor in one row": Case("LL505", keras_loss("def __init__(self): print(self)")),
    "a constructor of two bases": Case(
        "LL505", keras_loss("def __init__(self):", "    print(1)", base="tf.keras.losses.Loss, dict")
    ),
    "__call__ with weights": Case(
        "LL505",
        f"{HEAD}class L(tf.keras.losses.Loss):\n    def __call__(self, y, p, sample_weight=None):\n        return y - p\n",
    ),
    "__call__ beside call": Case(
        "LL505", keras_loss("def __call__(self, y, p):", "    return y - p", call="self(y_true, y_pred)")
    ),
    "a configuration of nothing": Case(
        "LL506",
        keras_loss(
            "def __init__(self, a):",
            "    super().__init__()",
            "    self.a = a",
            "def get_config(self):",
            "    return {}",
            call="self.a * y_pred",
        ),
    ),
    "a configuration of two kinds": Case(
        "LL506",
        keras_loss(
            "def __init__(self, a, b):",
            "    super().__init__()",
            "    self.a = a",
            "    self.b = b",
            "def get_config(self):",
            "    if self.a:",
            "        return {'a': self.a}",
            "    return {'a': None}",
            call="self.a * self.b * y_pred",
        ),
    ),
    "an argument that is not kept": Case(
        "LL506",
        keras_loss("def __init__(self, a):", "    super().__init__()", "    self.b = 2 * a", call="self.b * y_pred"),
    ),
    "another base, whose configuration holds more": Case(
        "LL506",
        f"{HEAD}class L(tf.keras.losses.MeanSquaredError):\n    def __init__(self, a):\n        super().__init__()\n"
        "        self.a = a\n",
    ),
    "a configuration that is inherited": Case(
        "LL506",
        keras_loss(
            "def __init__(self, a):",
            "    super().__init__()",
            "    self.a = a",
            "def get_config(self):",
            "    return {'a': self.a}",
        )
        + "\n\nclass M(L):\n    def __init__(self, a, b):\n        super().__init__(a)\n        self.b = b\n",
    ),
    "a function made in a function": Case(
        "LL509",
        quantile(
            "for q in (0.1, 0.9):",
            "    def make():",
            f"        return lambda y, p: {PINBALL}",
            "    losses.append(make())",
        ),
    ),
    "a function without arguments by position": Case(
        "LL509", quantile("for q in (0.1, 0.9):", f"    losses.append(lambda *a: (lambda y, p: {PINBALL})(*a))")
    ),
    "a function with an argument by keyword alone": Case(
        "LL509",
        quantile(
            "for q in (0.1, 0.9):",
            "    def loss(y, p, *, k=1.0):",
            f"        return k * {PINBALL}",
            "    losses.append(loss)",
        ),
    ),
    "a variable that the loop sets again": Case(
        "LL509", quantile("for q in (0.1, 0.9):", "    q = 2.0 * q", f"    losses.append(lambda y, p: {PINBALL})")
    ),
    "only one by keyword": Case(
        "LL510", loss("return tf.keras.losses.binary_crossentropy(y_pred, y_pred=y_true)", keras=True)
    ),
    "starred behind labels": Case(
        "LL510", loss("a = ()", "return tf.keras.losses.binary_crossentropy(y_pred, y_true, *a)", keras=True)
    ),
    "starred labels": Case(
        "LL511", loss("a = (y_true, 3)", "return tf.reduce_mean(tf.one_hot(*a) * y_pred)", keras=True)
    ),
    "no name for a cast": Case(
        "LL511",
        "import keras\nfrom tensorflow import one_hot, reduce_mean\n"
        + loss("return reduce_mean(one_hot(y_true, 3) * y_pred)", head="", keras=True).replace("tf.keras", "keras"),
    ),
}


@pytest.mark.parametrize("case", [pytest.param(c, id=f"{c.code} {name}") for name, c in FIXED.items()])
def test_what_is_written(case: Case, tmp_path: Path) -> None:
    after = fixed_text(tmp_path, case.rows, select=case.code)
    assert after == case.after != case.rows
    (tmp_path / "losses.py").write_text(after, encoding="utf-8")
    again = check(tmp_path, select=case.code)
    assert (again.changes, again.findings) == ([], [])


@pytest.mark.parametrize("case", [pytest.param(c, id=f"{c.code} {name}") for name, c in LEFT.items()])
def test_what_is_left(case: Case, tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(case.rows, encoding="utf-8")
    found = [f.fix for f in check(tmp_path, fix=False).findings if f.code == case.code]
    assert found and set(found) == {None}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  # noqa: E501, LL302", "  # noqa: E501"),
        ("  # noqa: LL301, LL302", ""),
        ("  # noqa: LL302 a long story", "  # a long story"),
        ("  # losslint: ignore[LL302] because", ""),
        ("  # losslint: ignore[LL302]  # type: ignore", "  # type: ignore"),
        ("\n# losslint: ignore-file[LL302]", ""),
        ("\n# losslint: ignore-file[LL302]\n# the end", "\n# the end"),
    ],
)
@pytest.mark.parametrize("end", ["\n", ""])
def test_an_unused_suppression_goes(before: str, after: str, end: str, tmp_path: Path) -> None:
    mean = HEAD + "def loss(y_true, y_pred):\n    return tf.reduce_mean(tf.square(y_true - y_pred), -1)"
    expected = mean + after + end if after or not before.startswith("\n") else mean + "\n"
    assert fixed_text(tmp_path, mean + before + end) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# noqa: LL301, LL302", "# noqa: LL302"),
        ("# NOQA:LL302,ll301,E501", "# NOQA: LL302, E501"),
        ("# losslint: ignore[LL301, LL302] meant", "# losslint: ignore[LL302] meant"),
    ],
)
def test_a_used_one_stays(before: str, after: str, tmp_path: Path) -> None:
    rows = HEAD + "def loss(y_true, y_pred):\n    return tf.reduce_sum(tf.square(y_true - y_pred))  "
    assert fixed_text(tmp_path, f"{rows}{before}\n") == f"{rows}{after}\n"
