"""What the symbol table of a file tells without a look at its tree."""

from pathlib import Path

import pytest

from losslint.frontend import gate


def passes(text: str, path: str = "train.py") -> bool:
    table = gate.symbols(text, path)
    assert table is not None
    return gate.says_so(text, Path(path)) or gate.may_define_losses(table)


@pytest.mark.parametrize(
    "text",
    [
        "def my_loss(a, b): return a",
        "def f(y_true, y_pred): return y_pred",
        "def outer():\n    def g(x, labels, logits): return x",
        "def focal_loss(gamma):\n    def inner(x): return x\n    return inner",
        "class A:\n    def g(self, labels, logits, weights): return labels",
        "class A:\n    def g(self, __y_true, __y_pred): return 1",
        "def accuracy(x): return x",
        "class A(keras.losses.Loss):\n    def call(self, a, b): return a",
        "class A(\n    losses  .Loss\n) :\n    pass",
        "class Dice(Base): pass",
        "class A(make('x:')): pass",
        "x = [tape.gradient(a, b)]",
        "with t as tape:\n    grads = tape . gradient(a, b)",
        "model.compile(loss=f)",
        "(model.compile)(loss=f)",
        "layer.add_loss(x)",
        "opt.get_updates(x)",
        "x = keras.metrics.Mean()",
    ],
)
def test_what_may_hold_a_subject_passes(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "import tensorflow as tf\nx = tf.constant(1)",
        "def build(x, y): return x",
        "pattern = re.compile('x')",
        "class Block(keras.layers.Layer):\n    def call(self, inputs): return inputs",
        "def test_my_loss(y_true, y_pred): return 1",
        "total = sum(f(y_true, y_pred) for y_true, y_pred in pairs)",
    ],
)
def test_what_holds_none_does_not(text: str) -> None:
    assert not passes(text)


def test_the_file_may_say_so() -> None:
    assert passes("def f(x): return x", "metrics.py") and passes("def f(x): return x", "metrics/f.py")
    assert not passes("def f(x): return x", "f.py")


def test_no_table_is_no_answer() -> None:
    assert gate.symbols("return = 1", "a.py") is None
    assert gate.symbols("x = \0", "a.py") is None


def test_classes_without_an_end_are_told_in_time() -> None:
    assert passes('x = "' + "class Loss(" * 60_000 + '"')
    assert not passes('x = "' + "class A(B) :" * 60_000 + '"')
