"""What the configuration declares of the user's functions stands in for their bodies."""

from __future__ import annotations

from losslint.engine import losses
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.loss import Loss
from losslint.options import Declared, Options
from tests.traced import ops, sources

SOURCE = """
import tensorflow as tf


def helper(x):
    return tf.round(x)


def my_loss(y_true, y_pred):
    return helper(y_pred)
"""


def _declared(**facts: object) -> Loss:
    module, project = Module("losses.py", SOURCE), Project()
    project.add(module)
    options = Options(declared={"helper": Declared(**facts)})  # type: ignore[arg-type]
    [loss] = (one for one in losses(module, project, options) if isinstance(one, Loss) and one.name == "my_loss")
    return loss


def _gradient(loss: Loss) -> str:
    return loss.gradients.reaches(next(n for n in loss.graph.nodes if n.attrs.get("name") == "y_pred"))


def test_a_function_is_as_another_one() -> None:
    assert ops(_declared(like="tensorflow.math.log")) == ["log"]
    assert ops(_declared(like="tf.exp")) == ["exp"]


def test_the_range() -> None:
    value = _declared(range=(0.5, 2.0)).value
    loss = _declared(range=(0.5, 2.0))
    assert ops(loss) == ["smooth"] and value.op == "smooth"
    interval = loss.ranges.of(loss.value)
    assert (interval.low.at, interval.high.at) == (0.5, 2.0)
    assert _gradient(loss) == "live"


def test_the_shape() -> None:
    assert str(_declared(shape="[B, 10]").value.shape) == "(B, 10)"
    assert str(_declared(shape="[]").value.shape) == "()"
    assert str(_declared(shape="B").value.shape) == "(B,)"


def test_the_gradient() -> None:
    loss = _declared(gradient="dead")
    assert _gradient(loss) == "dead"
    assert _gradient(_declared(gradient="live")) == "live"
    assert "y_pred" in sources(loss)


def test_nothing_declared_follows_the_body() -> None:
    module, project = Module("losses.py", SOURCE), Project()
    project.add(module)
    assert [ops(one) for one in losses(module, project) if isinstance(one, Loss)] == [["round"]]
