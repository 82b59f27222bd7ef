"""LL209, LL210, LL310 and LL206, each beside what it must not be taken for."""

from __future__ import annotations

import textwrap

import pytest

import losslint.checks.gradient
import losslint.checks.steps  # noqa: F401
from losslint.checks.base import drafts_of
from losslint.findings import Severity
from tests.hand import drafts
from tests.traced import every, traced

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741


def step(body: str, arguments: str = "model, optimizer, x, y") -> str:
    return f"def train_step({arguments}):\n" + textwrap.indent(textwrap.dedent(body), "    ")


def said(source: str, code: str) -> list[tuple[str, int]]:
    """What is found, and in which row of the step; the imports take three."""
    found = {
        (draft.message, draft.site.module.span(draft.site.tree).row - 3)
        for loss in every(source)
        for draft in drafts(loss, code)
    }
    return sorted(found, key=lambda f: f[1])


# --- LL209 --------------------------------------------------------------------------------------------------------


def test_loss_after_the_tape() -> None:
    source = step("""
        with tf.GradientTape() as tape:
            p = model(x, training=True)
        loss = tf.reduce_mean(tf.square(y - p))
        return tape.gradient(loss, model.trainable_variables)
    """)
    [(message, row)] = said(source, "LL209")
    assert row == 5 and message.startswith("the loss is computed after the tape has stopped")


def test_forward_pass_before_the_tape() -> None:
    source = step("""
        p = model(x, training=True)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(y - p))
        return tape.gradient(loss, model.trainable_variables)
    """)
    [(message, row)] = said(source, "LL209")
    assert row == 3 and message.startswith("the model is called before the tape records")


def test_helpers_are_looked_into() -> None:
    source = """
    def mse_of(y, p):
        return tf.reduce_mean(tf.square(y - p))


    def train_step(model, x, y):
        with tf.GradientTape() as tape:
            {inside}
        {outside}
        return tape.gradient(loss, model.trainable_variables)
    """
    assert said(source.format(inside="loss = mse_of(y, model(x))", outside="pass"), "LL209") == []
    assert len(said(source.format(inside="p = model(x)", outside="loss = mse_of(y, p)"), "LL209")) == 1


@pytest.mark.parametrize(
    "body",
    [
        """
        target = model(x, training=False)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(target - model(x, training=True)))
        return tape.gradient(loss, model.trainable_variables)
        """,
        """
        with tf.GradientTape() as tape:
            loss = 0.0
            for part in tf.split(x, 3):
                loss += tf.reduce_mean(model(part))
        return tape.gradient(loss, model.trainable_variables)
        """,
        """
        tape = tf.GradientTape()
        with tape:
            p = model(x)
        with tape:
            loss = tf.reduce_mean(tf.square(y - p))
        return tape.gradient(loss, model.trainable_variables)
        """,
        """
        p = some_forward_pass(x)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(y - p))
        return tape.gradient(loss, model.trainable_variables)
        """,
        """
        with tf.GradientTape() as tape:
            outputs = model(x)
            losses = model.losses_of(outputs)
        return tape.gradient(losses[0], model.trainable_variables)
        """,
        """
        with tf.GradientTape() as tape:
            if y is None:
                loss = tf.reduce_mean(tf.square(model(x)))
            else:
                loss = tf.reduce_mean(tf.square(y - model(x)))
        return tape.gradient(loss, model.trainable_variables)
        """,
        """
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                p = model(x)
            slope = inner.gradient(p, x)
            loss = tf.reduce_mean(tf.square(slope))
        return outer.gradient(loss, model.trainable_variables)
        """,
        """
        for _ in range(3):
            with tf.GradientTape(persistent=True) as tape:
                loss = tf.reduce_mean(tf.square(y - model(x)))
            gradients = tape.gradient(loss, model.trainable_variables)
        return gradients
        """,
    ],
)
def test_what_is_recorded_or_not_known(body: str) -> None:
    assert said(step(body), "LL209") == []


def test_a_tape_that_is_given_is_not_known() -> None:
    source = """
    def apply(tape, loss, model):
        return tape.gradient(loss, model.trainable_variables)


    def train_step(model, x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(y - model(x)))
        return apply(tape, loss, model)
    """
    assert said(source, "LL209") == []


# --- LL210 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    ["tf.clip_by_value(y_pred, 0.1, 0.9)", "y_pred + 1.0", "-y_pred", "K.clip(y_pred, 0.1, 0.9)", "tf.squeeze(y_true)"],
)
def test_computed_for_nothing(statement: str) -> None:
    source = f"def some_loss(y_true, y_pred):\n    {statement}\n    return tf.abs(y_true - y_pred)\n"
    [(message, row)] = said(source, "LL210")
    assert row == 2 and "never used" in message


@pytest.mark.parametrize(
    "statement",
    [
        "tf.print(y_pred)",
        "tf.debugging.assert_positive(y_pred)",
        "tf.debugging.check_numerics(y_pred, 'p')",
        "tf.ensure_shape(y_pred, (None, 1))",
        "tf.summary.histogram('p', y_pred)",
        "K.print_tensor(y_pred)",
        "counter.assign_add(1.0)",
        "keras.metrics.Mean()(y_pred)",
        "keras.layers.Dense(1)(y_pred)",
        "model(y_pred)",
        "tf.compat.v1.losses.mean_squared_error(y_true, y_pred)",
        "tf.cond(tf.reduce_any(y_pred > 1), lambda: tf.print('!'), lambda: tf.print('.'))",
        "y_pred",
        "y_pred = tf.clip_by_value(y_pred, 0.1, 0.9)",
        "history.append(tf.reduce_mean(y_pred))",
    ],
)
def test_called_for_what_it_does(statement: str) -> None:
    source = f"""
    counter, history = tf.Variable(0.0), []


    def some_loss(y_true, y_pred):
        {statement}
        return tf.abs(y_true - y_pred)
    """
    assert said(source, "LL210") == []


def test_the_last_line_of_a_cell_is_shown() -> None:
    source = """
    x = tf.Variable([1.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x * x)
    gradients = tape.gradient(loss, [x])
    tf.reduce_sum(x)
    """
    assert said(source, "LL210") == []


# --- LL310 --------------------------------------------------------------------------------------------------------

_DISTRIBUTED = """
strategy = tf.distribute.MirroredStrategy()


def replica_step(model, optimizer, x, y):
    with tf.GradientTape() as tape:
        p = model(x)
        loss = {loss}
    gradients = tape.gradient(loss, model.trainable_variables)
    {apply}


def train_step(model, optimizer, x, y):
    {run}
"""
_APPLY = "optimizer.apply_gradients(zip(gradients, model.trainable_variables))"
_RUN = "strategy.run(replica_step, args=(model, optimizer, x, y))"
_MEAN = "tf.reduce_mean(tf.square(y - p))"


def distributed(loss: str = _MEAN, apply: str = _APPLY, run: str = _RUN) -> list[tuple[str, int]]:
    return said(_DISTRIBUTED.format(loss=loss, apply=apply, run=run), "LL310")


@pytest.mark.parametrize("loss", [_MEAN, "tf.reduce_mean(keras.losses.mean_squared_error(y, p))", f"2.0 * {_MEAN}"])
def test_mean_on_every_replica(loss: str) -> None:
    [(message, row)] = distributed(loss)
    assert row == 8 and "adds up the gradients" in message
    assert len(distributed(run="self.strategy.experimental_run_v2(replica_step, args=(x, y))")) == 1


@pytest.mark.parametrize(
    "loss",
    [
        f"{_MEAN} / strategy.num_replicas_in_sync",
        f"{_MEAN} * (1.0 / tf.distribute.get_strategy().num_replicas_in_sync)",
        "tf.reduce_sum(tf.square(y - p)) / GLOBAL_BATCH_SIZE",
        "tf.nn.compute_average_loss(tf.reduce_mean(tf.square(y - p), axis=-1))",
        "keras.losses.MeanSquaredError()(y, p)",
        "tf.reduce_sum(tf.square(y - p))",
    ],
)
def test_replicas_that_share_a_global_batch(loss: str) -> None:
    assert distributed(loss) == []


def test_replicas_are_seen_in_the_code() -> None:
    assert distributed(run="replica_step(model, optimizer, x, y)") == []
    assert distributed(run="session.run(replica_step)") == []
    assert distributed(apply="return tf.distribute.get_replica_context().all_reduce('MEAN', gradients)") == []
    assert distributed(apply="return gradients") == []


# --- LL206 --------------------------------------------------------------------------------------------------------


def python(value: str, consumer: str = "y_true, y_pred") -> list[Severity]:
    source = f"def some_loss({consumer}):\n    p = tf.numpy_function(abs, [y_pred], tf.float32)\n    return {value}\n"
    return [draft.severity for draft in drafts_of(traced(source)) if draft.code == "LL206"]


def test_a_term_without_gradient() -> None:
    assert python("tf.reduce_mean(tf.square(y_true - y_pred)) + tf.reduce_mean(p)") == [W]
    assert python("tf.reduce_mean(tf.square(y_true - y_pred)) + tf.reduce_mean(tf.square(p - y_true))") == [W]


def test_where_nothing_else_trains_the_lost_gradient_is_said() -> None:
    assert python("tf.reduce_mean(p)") == []


@pytest.mark.parametrize(
    "value",
    [
        "tf.reduce_mean(p * tf.square(y_true - y_pred))",
        "tf.reduce_mean(tf.square(y_true - y_pred) / p)",
        "tf.reduce_mean(tf.where(p > 0.5, y_pred, y_true))",
        "tf.reduce_mean(tf.gather(y_pred, tf.cast(p, tf.int32), axis=1) - y_true)",
        "tf.reduce_mean(y_pred - tf.numpy_function(abs, [y_true], tf.float32))",
        "tf.reduce_mean(y_pred - tf.stop_gradient(p))",
    ],
)
def test_weights_masks_indices_and_targets_of_python(value: str) -> None:
    assert python(value) == []


def test_py_function_is_worse_under_keras() -> None:
    source = "def some_loss({}):\n    return tf.reduce_mean(tf.py_function(abs, [{}], tf.float32))\n"
    for arguments, tensor, severity in (("y_true, y_pred", "y_pred", W), ("logits", "logits", I)):
        [draft] = drafts(traced(source.format(arguments, tensor)), "LL206")
        assert draft.severity == severity
