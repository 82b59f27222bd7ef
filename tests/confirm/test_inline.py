"""Inline losses: the slice that computes what a training step differentiates, found by the engine and run."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import losslint
from losslint.confirm.backward import sliced
from losslint.confirm.inline import Inline, NoInline, compile_call, computing, inline
from losslint.confirm.jobs import Place, Step
from losslint.confirm.slicing import step_of
from losslint.frontend.module import Module
from losslint.loss import Loss
from tests.confirm.forked import Forked, server
from tests.traced import HEADER, every


def steps(source: str) -> list[tuple[Loss, Inline]]:
    """The inline losses of ``source``."""
    found = []
    for loss in every(source):
        step = step_of(loss)
        if step is not None:
            text = HEADER + textwrap.dedent(source)
            found.append((loss, inline(Module("losses.py", text).tree, step, text)))
    assert found
    return found


def only(source: str) -> Inline:
    """The single inline loss of ``source``."""
    ((_, made),) = steps(source)
    return made


def text_of(made: Inline) -> str:
    return ast.unparse(made.function)


def expected(source: str) -> str:
    return ast.unparse(ast.parse(textwrap.dedent(source)))


def test_a_custom_loop() -> None:
    source = """
    def train(model, dataset, epochs, weight=0.5):
        optimizer = keras.optimizers.Adam()
        mse = keras.losses.MeanSquaredError()
        for epoch in range(epochs):
            print("epoch", epoch)
            for step, (x, y) in enumerate(dataset):
                with tf.GradientTape() as tape:
                    logits = model(x, training=True)
                    value = weight * mse(y, logits)
                grads = tape.gradient(value, model.trainable_weights)
                optimizer.apply_gradients(zip(grads, model.trainable_weights))
    """
    made = only(source)
    assert made.parameters == [("logits", "model"), ("y", "loop")]
    assert text_of(made) == expected(
        """
        def train(logits, y, weight=0.5):
            mse = keras.losses.MeanSquaredError()
            value = weight * mse(y, logits)
            return value
        """
    )
    assert [s.lineno for s in made.function.body] == [7, 13, 14]
    assert made.notes == ["the loop at line 8 is entered once", "the loop at line 10 is entered once"]


def test_two_tapes_and_two_losses() -> None:
    source = """
    def generator_loss(fake):
        return tf.reduce_mean(tf.nn.relu(1.0 - fake))
    def gan_step(images):
        noise = tf.random.normal([32, 100])
        with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
            generated = generator(noise, training=True)
            real = discriminator(images, training=True)
            fake = discriminator(generated, training=True)
            gen_loss = generator_loss(fake)
            disc_loss = tf.reduce_mean(tf.nn.relu(1.0 - real)) + tf.reduce_mean(tf.nn.relu(1.0 + fake))
        first = gen_tape.gradient(gen_loss, generator.trainable_variables)
        second = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
        return first, second
    """
    (_, first), (_, second) = steps(source)
    assert first.parameters == [("fake", "model")]
    assert second.parameters == [("real", "model"), ("fake", "model")]
    assert text_of(first).splitlines()[1:] == [
        "    gen_loss = generator_loss(fake)",
        "    return gen_loss",
    ]


def test_a_gradient_penalty_keeps_its_own_tape() -> None:
    source = """
    class Gan(keras.Model):
        def train_step(self, real):
            with tf.GradientTape() as tape:
                fake = self.generator(tf.random.normal((8, 4)))
                with tf.GradientTape() as inner:
                    inner.watch(real)
                    score = self.discriminator(real, training=True)
                slope = inner.gradient(score, [real])[0]
                penalty = tf.reduce_mean((tf.norm(slope, axis=1) - 1.0) ** 2)
                d_loss = tf.reduce_mean(self.discriminator(fake)) + 10.0 * penalty
            return tape.gradient(d_loss, self.discriminator.trainable_variables)
    """
    made = only(source)
    assert made.owner == "Gan"
    assert text_of(made) == expected(
        """
        def train_step(self, real, discriminator_output):
            with tf.GradientTape() as inner:
                inner.watch(real)
                score = self.discriminator(real, training=True)
            slope = inner.gradient(score, [real])[0]
            penalty = tf.reduce_mean((tf.norm(slope, axis=1) - 1.0) ** 2)
            d_loss = tf.reduce_mean(discriminator_output) + 10.0 * penalty
            return d_loss
        """
    )


def test_a_replica_step() -> None:
    source = """
    def distributed(strategy, dataset, model, optimizer, global_batch=64):
        scale = 1.0 / global_batch
        def step_fn(inputs):
            images, labels = inputs
            with tf.GradientTape() as tape:
                predictions = model(images, training=True)
                each = keras.losses.sparse_categorical_crossentropy(labels, predictions)
                loss = tf.reduce_sum(each) * scale
            grads = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables))
            return loss
        for batch in dataset:
            strategy.run(step_fn, args=(batch,))
    """
    made = only(source)
    assert text_of(made) == expected(
        """
        def step_fn(labels, predictions, global_batch=64):
            scale = 1.0 / global_batch
            each = keras.losses.sparse_categorical_crossentropy(labels, predictions)
            loss = tf.reduce_sum(each) * scale
            return loss
        """
    )


def test_loops_and_lists_that_build_the_loss() -> None:
    source = """
    def step(model, x, y, optimizer):
        history, log = [], {}
        with tf.GradientTape() as tape:
            p = model(x)
            loss = 0.0
            for i in range(4):
                if i > 2:
                    break
                log[i] = loss
                loss += tf.reduce_mean(tf.square(y - p)) * i
            history.append(loss)
            tf.print(history)
            total = tf.add_n(history)
        return tape.gradient(total, model.trainable_variables)
    """
    assert text_of(only(source)) == expected(
        """
        def step(y, p):
            history, log = ([], {})
            loss = 0.0
            for i in range(4):
                if i > 2:
                    break
                loss += tf.reduce_mean(tf.square(y - p)) * i
            history.append(loss)
            total = tf.add_n(history)
            return total
        """
    )


def test_several_outputs_of_a_model() -> None:
    source = """
    def actor_critic(model, states, actions, returns):
        with tf.GradientTape() as tape:
            logits, values = model(states)
            advantage = returns - tf.squeeze(values)
            taken = tf.gather(tf.nn.log_softmax(logits), actions, batch_dims=1)
            loss = -tf.reduce_mean(taken * tf.stop_gradient(advantage)) + tf.reduce_mean(tf.square(advantage))
        return tape.gradient(loss, model.trainable_variables)
    """
    roles = only(source).parameters
    assert roles == [("actions", "argument"), ("returns", "argument"), ("logits", "model"), ("values", "model")]


def test_functions_that_are_minimized() -> None:
    source = """
    def minimized(model, x, y, optimizer):
        def loss():
            return tf.reduce_mean(tf.abs(y - model(x)))
        optimizer.minimize(loss, model.trainable_variables)
        optimizer.minimize(lambda: tf.reduce_mean(tf.square(y - model(x))), model.trainable_variables)
    """
    (_, first), (_, second) = steps(source)
    assert text_of(first).endswith("return loss()") and "model_output" in text_of(first)
    assert text_of(second).endswith("return tf.reduce_mean(tf.square(y - model_output))")


def test_branches() -> None:
    source = """
    def step(model, x, y, kind="a"):
        with tf.GradientTape() as tape:
            é = "ü"; p = model(x); à = "é"
            if kind == "a":
                loss = tf.reduce_mean(y - p)
            elif kind == "b":
                loss = tf.reduce_sum(y - p)
            else:
                raise ValueError(kind)
        naïve = "é"; g = tape.gradient(loss, model.trainable_variables)
        return g
    """
    made = only(source)
    assert made.parameters == [("y", "argument"), ("p", "model")]
    assert "elif kind == 'b'" in text_of(made) and "raise ValueError(kind)" in text_of(made)


def test_a_script() -> None:
    source = """
    net = make_net()
    SCALE = tf.constant(2.0)
    total = 0.0
    dataset = load("nowhere")
    def prepared(labels):
        return labels * SCALE
    for epoch in range(3):
        for bx, by in dataset:
            with tf.GradientTape() as tape:
                out = net(bx, training=True)
                total += tf.reduce_mean(tf.square(prepared(by) - out)) * SCALE
            grads = tape.gradient(total, net.trainable_variables)
    """
    made = steps(source)[0][1]
    assert made.parameters == [("out", "model"), ("by", "loop")]
    assert text_of(made) == expected(
        """
        def script(out, by):
            total = 0.0
            def prepared(labels):
                return labels * SCALE
            total += tf.reduce_mean(tf.square(prepared(by) - out)) * SCALE
            return total
        """
    )


def test_placeholders() -> None:
    source = """
    x = tf.placeholder(tf.float32, [None, 3])
    y = tf.placeholder(tf.float32, [None, 1])
    w = tf.Variable(tf.zeros([3, 1]))
    cost = tf.reduce_mean(tf.square(tf.matmul(x, w) - y))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(cost)
    """
    made = only(source)
    assert made.parameters == [("x", "argument"), ("y", "argument")]
    assert "w = " not in text_of(made)


def test_a_context_is_no_tape_for_having_a_name() -> None:
    source = """
    def step(model, x, y):
        with weights() as w, other() as o:
            match y.ndim:
                case 1:
                    y = y[:, None]
                case _:
                    pass
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(w * tf.square(y - model(x)))
        return tape.gradient(loss, model.trainable_variables)
    """
    made = only(source)
    assert made.parameters == [("y", "argument"), ("model_output", "model")]
    assert text_of(made) == expected(
        """
        def step(y, model_output):
            with weights() as w:
                match y.ndim:
                    case 1:
                        y = y[:, None]
                    case _:
                        pass
                loss = tf.reduce_mean(w * tf.square(y - model_output))
            return loss
        """
    )


def test_outputs_of_two_models_have_two_names() -> None:
    source = """
    def step(model, x, y, model_output=1.0):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(x) * model_output - model(y))
        return tape.gradient(loss, model.trainable_variables)
    """
    made = only(source)
    assert [kind for _, kind in made.parameters if kind == "model"] == ["model", "model"]
    assert len({name for name, _ in made.parameters} | {"model_output"}) == 3
    assert "model_output2 * model_output - model_output3" in text_of(made)


def test_compiling() -> None:
    def made(call: str) -> tuple[Inline, ast.expr]:
        return compile_call(ast.parse(call), Step("<module>", Place(1, 1, 1, len(call) + 1)), call)

    for call in ("model.compile('adam', mse)", "model.compile(metrics=[f], loss=mse)"):
        inline_loss, loss = made(call)
        assert text_of(inline_loss).endswith("return (model, mse)") and ast.unparse(loss) == "mse"
    for call in ("model.compile('adam')", "compile('adam', loss=mse)"):
        with pytest.raises(NoInline, match="there is no call of compile with a loss at line 1"):
            made(call)


def test_places_that_hold_nothing() -> None:
    tree = ast.parse("def f(x):\n    return x\n")
    with pytest.raises(NoInline, match="no expression at line 2"):
        inline(tree, Step("f", Place(2, 2, 2, 3)))
    with pytest.raises(NoInline, match="there is no g around line 2"):
        inline(tree, Step("g", Place(2, 12, 2, 13)))


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("a = 1; b = 2; c = a", "a = 1; c = a"),
        ("c = 1; c = 2", "c = 2"),
        ("c = {}; d = {}; c['x'] = 1; d['x'] = 2", "c = {}; c['x'] = 1"),
        ("self.x = 1; self.y = 2; c = self.x", "self.x = 1; c = self.x"),
        ("o.x = 1; o.y = 2; c = f(o)", "o.x = 1; o.y = 2; c = f(o)"),
        ("def f(a): return a + k\nk = 2; a = 3; c = f(1)", "def f(a): return a + k\nk = 2; c = f(1)"),
        ("i = 0; c = [i for i in range(3)]", "c = [i for i in range(3)]"),
        ("while n:\n    n -= 1\n    c = n\n    print(c)", "while n:\n    n -= 1\n    c = n"),
        ("with a as b, d as e:\n    c = e\n    print(b)", "with d as e:\n    c = e"),
        ("with scope():\n    c = 1", "c = 1"),
        ("for i in r:\n    prev = c\n    c = prev + i", "for i in r:\n    prev = c\n    c = prev + i"),
    ],
)
def test_backward_slices(body: str, kept: str) -> None:
    block, _ = sliced(ast.parse(body).body, {"c"})
    assert ast.unparse(ast.Module(block, [])) == ast.unparse(ast.parse(kept))


def test_what_sets_an_attribute() -> None:
    source = """
    def __init__(self, a, b, c=1):
        super().__init__(c)
        twice = a * 2
        self.other = b
        if twice > 1:
            self.__x = twice
        else:
            self.__x = super().x
    """
    function = ast.parse(textwrap.dedent(source)).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert ast.unparse(computing(function, "__x", "C")) == expected(
        """
        def __init__(self, a):
            twice = a * 2
            if twice > 1:
                self._C__x = twice
            else:
                self._C__x = super(C, self).x
            return self._C__x
        """
    )


# -- with TensorFlow -------------------------------------------------------------------------------------------------

RUN = """
import sys
sys.path.insert(0, {root!r})
from losslint.confirm.jobs import Bundle, File, Place, Step
from losslint.confirm.inline import inline
from losslint.confirm.loader import Loader
import tensorflow as tf, numpy as np
def make(name, parameter, owner):
    raise LookupError(name)
text = {text!r}
loader = Loader(Bundle("steps", {{"steps": File("steps", {path!r}, text)}}))
part = inline(loader.scope.tree, {step!r}, text)
function = loader.resolve_inline(part, make)
y, p = np.array([[0.0], [1.0]], "float32"), np.array([[0.5], [0.25]], "float32")
{code}
result = [float(np.sum(value)), loader.assumed]
"""


@pytest.fixture(scope="module")
def forked() -> Iterator[Forked]:
    with server() as run:
        yield run


def run(forked: Forked, source: str, code: str, step: Step | None = None, path: str = "/nowhere/steps.py") -> Any:
    text = HEADER + textwrap.dedent(source)
    found = [step_of(loss) for loss in every(source)] if step is None else [step]
    (chosen,) = {s for s in found if s is not None}
    root = losslint.__file__.rsplit("/", 2)[0]
    return forked(RUN.format(root=root, path=path, text=text, step=chosen, code=textwrap.dedent(code)))


@pytest.mark.tf
def test_a_step_runs(forked: Forked) -> None:
    source = """
    SCALE = tf.constant(2.0)
    mse = keras.losses.MeanSquaredError()
    @tf.function
    def step(model, optimizer, x, y):
        with tf.GradientTape() as tape:
            loss = SCALE * mse(y, model(x, training=True))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    """
    code = """
    value = tf.function(function)(y, p)
    value = value + function(tf.constant(y), tf.constant(p))
    """
    assert run(forked, source, code)[0] == pytest.approx(1.625)


@pytest.mark.tf
def test_what_follows_the_loss_is_no_part_of_it(forked: Forked, tmp_path: Path) -> None:
    """AutoGraph reads the source again, from the disk if the file is there: nothing may lead it to the user's return."""
    source = """
    class Penalty(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(tf.reduce_sum(tf.square(inputs)))
            return inputs
    """
    path = tmp_path / "steps.py"
    path.write_text(HEADER + textwrap.dedent(source), encoding="utf-8")
    code = "value = tf.function(function, autograph=True)(tf.constant(p))"
    assert run(forked, source, code, path=str(path))[0] == pytest.approx(0.3125)


@pytest.mark.tf
def test_a_training_step_of_keras(forked: Forked) -> None:
    source = """
    class Custom(keras.Model):
        def __init__(self, rate=0.5):
            super().__init__()
            self.rate = rate
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses) * self.rate
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
    """
    step = Step("Custom.train_step", Place(14, 21, 14, 55), (Place(12, 22, 12, 44),))
    value, assumed = run(forked, source, "value = function(y, p)", step)
    assert value == pytest.approx(0.203125)
    assert assumed == ["the model is compiled with loss='mse'"]


@pytest.mark.tf
def test_a_penalty_runs_with_what_the_class_makes(forked: Forked) -> None:
    source = """
    class Gan(keras.Model):
        def __init__(self, no_way):
            super().__init__()
            self.no_way = no_way
            self.discriminator = keras.Sequential([keras.layers.Dense(1, kernel_initializer="ones")])
        def train_step(self, real):
            with tf.GradientTape() as tape:
                with tf.GradientTape() as inner:
                    inner.watch(real)
                    score = self.discriminator(real, training=True)
                slope = inner.gradient(score, real)
                loss = tf.reduce_mean((tf.norm(slope, axis=1) - 3.0) ** 2)
            return tape.gradient(loss, self.discriminator.trainable_variables)
    """
    value, assumed = run(forked, source, "value = function(tf.constant(p))")
    assert value == pytest.approx(4.0)
    assert assumed[1:] == ["self.discriminator is what line 9 sets"]


@pytest.mark.tf
def test_a_script_runs_without_its_data(forked: Forked) -> None:
    source = """
    import os
    os.remove("/nowhere")
    net = keras.Sequential([keras.layers.Dense(1)])
    SCALE = tf.constant(2.0)
    dataset = tf.data.Dataset.load("/nowhere")
    for bx, by in dataset:
        with tf.GradientTape() as tape:
            out = net(bx, training=True)
            loss = SCALE * tf.reduce_mean(tf.square(by - out))
        grads = tape.gradient(loss, net.trainable_variables)
    """
    assert run(forked, source, "value = function(out=p, by=y)")[0] == pytest.approx(0.8125)
