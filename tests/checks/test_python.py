from __future__ import annotations

import pytest

import losslint.checks.python  # noqa: F401
from losslint.findings import Severity
from tests.hand import drafts
from tests.traced import HEADER, every, traced

PAIR = "def loss(y_true, y_pred):\n"
RULES = ("LL501", "LL502", "LL507", "LL508", "LL515")


def found(body, *codes, header=HEADER, signature=PAIR):
    """(code, severity) of what the checks say about a loss with this body."""
    source = signature + "".join(f"    {line}\n" for line in body.splitlines())
    return [(d.code, d.severity) for d in drafts(traced(source, header=header), *(codes or RULES))]


ERROR = "error = tf.reduce_mean(tf.square(y_true - y_pred))\n"


@pytest.mark.parametrize(
    "statement",
    [
        "error = error if error > 1.0 else 2.0 * error",
        "assert error > 0.0",
        "error = max(error, 0.1)",
        "error = error * (0.0 < error < 1.0)",
        "error = error * (not error > 1.0)",
        "error = error * (error > 1.0 and error < 2.0)",
        "error = tf.add_n([x for x in (error, error) if x > 0.0])",
    ],
)
def test_python_asks_for_the_truth_of_a_tensor(statement):
    assert ("LL501", Severity.ERROR) in found(ERROR + statement + "\nreturn error", "LL501")


@pytest.mark.parametrize(
    "condition",
    [
        "y_pred.shape[-1] == 1",
        "y_true.shape[0] == y_pred.shape[0]",
        "K.ndim(y_pred) == 2",
        "len(y_pred.shape) == 2",
        "K.int_shape(y_pred)[1] > 3",
        "keras.ops.shape(y_pred)[1] > 3",
        "y_true is y_pred",
        "isinstance(y_true, tf.RaggedTensor)",
        "hasattr(y_pred, '_keras_mask')",
        "tf.executing_eagerly()",
        "y_pred.dtype == tf.float16",
        "FLAG",
        "max(FLAG, 1.0) > 2.0",
    ],
)
def test_conditions_that_python_can_decide(condition):
    body = f"if {condition}:\n    y_pred = 2.0 * y_pred\nreturn tf.reduce_mean(tf.square(y_true - y_pred))"
    assert found(body, "LL501") == []


def test_one_finding_a_condition():
    body = ERROR + "if not (error > 1.0):\n    error = 2.0 * error\nreturn error"
    assert found(body, "LL501") == [("LL501", Severity.ERROR)]


BRANCH = ERROR + "if error > 1.0:\n    error = 2.0 * error\nreturn error"


@pytest.mark.parametrize(
    ("header", "signature", "expected"),
    [
        (HEADER, PAIR, [("LL501", Severity.ERROR)]),
        (HEADER, "@tf.function\n" + PAIR, []),
        (HEADER, "@tf.function(autograph=False)\n" + PAIR, [("LL501", Severity.ERROR)]),
        (HEADER + "tf.config.run_functions_eagerly(True)\n", PAIR, []),
        (HEADER + "import tf_keras\n", PAIR, []),
        (HEADER, "def some_loss(x, y_true, y_pred):\n", [("LL501", Severity.INFO)]),
    ],
)
def test_who_traces_decides(header, signature, expected):
    assert found(BRANCH, "LL501", header=header, signature=signature) == expected


def test_a_flag_that_is_off_is_no_eager_run():
    source = PAIR + "".join(f"    {line}\n" for line in BRANCH.splitlines())
    source += "model.compile(loss=loss, run_eagerly={})\n"
    for value, eager in (("False", False), ("True", True)):
        [loss] = [loss for loss in every(source.format(value)) if loss.name == "loss"]
        assert loss.eager is eager and bool(drafts(loss, "LL501")) is not eager


def test_a_helper_is_traced_with_its_loss():
    helper = "def half(x):\n    return x / 2.0 if x > 1.0 else x\n"
    assert found(ERROR + "return half(error)", "LL501", header=HEADER + helper) == [("LL501", Severity.ERROR)]
    assert found(ERROR + "return half(error)", "LL501", header=HEADER + "@tf.function\n" + helper) == []
    assert found(ERROR + "return tf.function(half)(error)", "LL501", header=HEADER + helper) == []


def test_a_branch_of_the_configuration_is_said_softly():
    body = ERROR + "if FLAG:\n    if error > 1.0:\n        error = 2.0 * error\nreturn error"
    assert found(body, "LL501") == [("LL501", Severity.INFO)]


@pytest.mark.parametrize(
    "statement",
    [
        "total = sum(errors)",
        "total = tf.add_n([tf.reduce_mean(e) for e in errors])",
        "total = tf.add_n([e for e in zip(errors, y_true)])",
        "a, b = errors\ntotal = a + b",
        "total = tf.add_n([errors[i] for i in range(tf.shape(errors)[0])])",
        "total = tf.add_n([errors[i] for i in tf.range(tf.size(errors))])",
        "total = max(errors)",
    ],
)
def test_python_walks_through_a_tensor(statement):
    body = "errors = tf.square(y_true - y_pred)\n" + statement + "\nreturn tf.reduce_mean(total)"
    assert ("LL502", Severity.ERROR) in found(body, "LL502")


@pytest.mark.parametrize(
    "statement",
    [
        "total = sum(tf.unstack(errors, axis=-1))",
        "a, b = tf.split(errors, 2, axis=-1)\ntotal = a + b",
        "total = sum(errors[..., i] for i in range(errors.shape[-1]))",
        "s, u, v = tf.linalg.svd(errors)\ntotal = s",
        "total = sum([errors, errors])",
        "rows, columns = errors.shape\ntotal = errors",
        "total = sum(w * errors for w in WEIGHTS)",
    ],
)
def test_lists_of_tensors_are_walked_through(statement):
    body = "errors = tf.square(y_true - y_pred)\n" + statement + "\nreturn tf.reduce_mean(total)"
    assert found(body, "LL502") == []


def test_an_argument_may_be_several_outputs():
    body = "a, b = y_pred\nreturn tf.reduce_mean(tf.square(a - b))"
    assert found(body, "LL502") == [("LL502", Severity.INFO)]
    compiled = PAIR + "".join(f"    {line}\n" for line in body.splitlines()) + "model.compile('adam', loss=loss)\n"
    [loss] = [loss for loss in every(compiled) if loss.name == "loss"]
    assert [d.severity for d in drafts(loss, "LL502")] == [Severity.ERROR]  # Keras calls it for one output at a time


@pytest.mark.parametrize(
    "made",
    [
        "tf.Variable(1.0)",
        "K.variable(1.0)",
        "keras.layers.Dense(3)(y_pred)",
        "keras.layers.Dropout(0.5)(y_pred)",
        "keras.metrics.AUC()(y_true, y_pred)",
        "keras.applications.VGG16(weights=None)(y_pred)",
    ],
)
def test_variables_are_made_at_every_call(made):
    assert ("LL507", Severity.ERROR) in found(ERROR + f"return error * {made}", "LL507")


@pytest.mark.parametrize(
    "made",
    [
        "keras.losses.MeanSquaredError()(y_true, y_pred)",
        "keras.metrics.MSE(y_true, y_pred)",
        "keras.layers.Softmax()(y_pred)",
        "K.constant(1.0)",
        "LAYER(y_pred)",
        "VARIABLE",
    ],
)
def test_no_variable_is_made(made):
    header = HEADER + "LAYER = keras.layers.Dense(3)\nVARIABLE = tf.Variable(1.0)\n"
    assert found(ERROR + f"return error * {made}", "LL507", header=header) == []


@pytest.mark.parametrize("guard", ["self.v is None", "not self.v", "not hasattr(self, 'v')"])
def test_a_variable_that_is_made_once(guard):
    source = f"""
    class Own(keras.losses.Loss):
        def __init__(self):
            super().__init__()
            self.v = None

        def call(self, y_true, y_pred):
            if {guard}:
                self.v = tf.Variable(1.0)
            return self.v * tf.square(y_true - y_pred)
    """
    assert drafts(traced(source), "LL507") == []
    unguarded = source.replace(f"if {guard}", "if True")
    assert [d.code for d in drafts(traced(unguarded), "LL507")] == ["LL507"]


@pytest.mark.parametrize("drawn", ["np.random.rand()", "np.random.normal(0.0, 1.0)", "random.random()", "time.time()"])
def test_python_draws_once(drawn):
    header = HEADER + "import random\nimport time\nimport numpy as np\n"
    weak = [("LL508", Severity.WARNING)]
    assert found(ERROR + f"return error * {drawn}", "LL508", header=header) == weak
    assert found(ERROR + f"return error if {drawn} < 0.5 else 2.0 * error", "LL508", header=header) == weak
    assert found(ERROR + f"drawn = {drawn}\nreturn error", "LL508", header=header) == []  # changes nothing
    assert found(ERROR + "return error * DRAWN", "LL508", header=header + f"DRAWN = {drawn}\n") == []
    unknown = "def some_loss(x, y_true, y_pred):\n"
    assert found(ERROR + f"return error * {drawn}", "LL508", header=header, signature=unknown) == []


OWN = """
class Own(keras.losses.Loss):
    def __init__(self, beta=0.5):
        super().__init__()
        self.beta = {made}

    def {method}(self, value):
        self.beta = value

    def call(self, y_true, y_pred):
        return self.beta * tf.square(y_true - y_pred)
"""


@pytest.mark.parametrize(
    ("made", "method", "codes"),
    [
        ("beta", "on_epoch_end", ["LL508"]),
        ("beta", "anneal_beta", ["LL508"]),
        ("beta", "set_beta", []),  # before training, as far as we know
        ("beta", "from_numbers", []),
        ("tf.Variable(beta)", "on_epoch_end", []),
        ("self.add_weight(beta)", "on_epoch_end", []),
    ],
)
def test_a_number_that_changes_later(made, method, codes):
    assert [d.code for d in drafts(traced(OWN.format(made=made, method=method)), "LL508")] == codes


def test_a_tensor_may_take_the_place_of_a_number():
    source = OWN.format(made="beta", method="other").replace(
        "        return self", "        self.beta = tf.constant(self.beta)\n        return self"
    )
    assert drafts(traced(source), "LL508") == []


@pytest.mark.parametrize("called", ["tf.print(error)", "tf.linalg.sqrtm(y_pred)", "tf.summary.scalar('error', error)"])
def test_xla_cannot_compile(called):
    body = ERROR + f"{called}\nreturn error"
    assert found(body, "LL515") == [("LL515", Severity.INFO)]
    assert found(body, "LL515", header=HEADER + "import tf_keras\n") == []  # Keras 2 leaves XLA off
    assert found(body, "LL515", signature="def some_loss(x, y_true, y_pred):\n") == []
