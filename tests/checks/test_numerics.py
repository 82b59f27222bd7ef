"""The numerics family on short losses: what fires at which severity, and, as important, what stays silent."""

from __future__ import annotations

import pytest

from losslint.findings import Finding
from tests.checks import short

FAMILY = ("LL401", "LL402", "LL403", "LL404", "LL405", "LL406", "LL407", "LL409")
FIRST = {"E": "error", "W": "warning", "I": "info"}


def findings(body: str, **where: str) -> list[Finding]:
    """The numerics findings in a function of this body."""
    return short.findings(body, FAMILY, **where)


def said(body: str, **where: str) -> list[str]:
    """Codes with the first letter of the severity, sorted."""
    return short.said(body, FAMILY, **where)


CASES = {
    # --- LL406: the slope that comes in is 0
    "norm under a maximum": ("y_pred / tf.maximum(tf.norm(y_pred, axis=-1, keepdims=True), 1e-5)", "LL406 I"),
    "squared norm": ("tf.square(tf.norm(y_pred - y_true, axis=-1))", "LL406 I"),
    "clipped root": ("tf.clip_by_value(tf.sqrt(tf.reduce_sum(tf.square(y_pred), -1)), 0.1, 9.0)", "LL406 I"),
    "a maximum that does not help": ("tf.maximum(tf.sqrt(tf.reduce_sum(tf.square(y_pred), -1)), 0.0)", "LL406 W"),
    # --- LL401: known
    "softmax, picked": ("p = tf.nn.softmax(y_pred)\n-tf.math.log(tf.reduce_sum(y_true * p, -1))", "LL401 E"),
    "one minus sigmoid": ("-tf.math.log(1.0 - tf.sigmoid(y_pred))", "LL401 E"),
    "relu": ("-y_true * tf.math.log(tf.nn.relu(y_pred))", "LL401 E"),
    "square": ("tf.math.log(tf.reduce_mean(tf.square(y_true - y_pred)))", "LL401 E"),
    "tanh goes below 0": ("tf.math.log(tf.tanh(y_pred))", "LL401 E"),
    "clip that starts at 0": ("tf.math.log(tf.clip_by_value(y_pred, 0.0, 1.0))", "LL401 E"),
    "log1p of minus sigmoid": ("-tf.math.log1p(-tf.sigmoid(y_pred))", "LL401 E"),
    "masked exponentials": (
        "m = tf.cast(tf.not_equal(y_true, 0.0), tf.float32)\ntf.math.log(tf.reduce_sum(tf.exp(y_pred) * m, axis=-1))",
        "LL401 E",
    ),
    # --- LL401: assumed
    "raw prediction": ("-tf.reduce_mean(y_true * tf.math.log(y_pred))", "LL401 W"),
    "both sides": (
        "-y_true * tf.math.log(y_pred) - (1 - y_true) * tf.math.log(1 - y_pred)",
        "LL401 W,LL401 W",
    ),
    "p_t by where": ("p = tf.where(tf.equal(y_true, 1), y_pred, 1 - y_pred)\n-tf.math.log(p)", "LL401 W"),
    "p_t by products": ("p = y_true * y_pred + (1 - y_true) * (1 - y_pred)\n-tf.math.log(p)", "LL401 W"),
    "clip as a statement": ("tf.clip_by_value(y_pred, 1e-7, 1.0)\n-y_true * tf.math.log(y_pred)", "LL401 W"),
    "a column": ("p = y_pred[:, 1]\n-tf.math.log(p)", "LL401 W"),
    "xlogy": ("-tf.math.xlogy(y_true, y_pred)", "LL401 W"),
    "clipping the logits helps nobody": (
        "-tf.math.log(1 - tf.sigmoid(tf.clip_by_value(y_pred, -50., 50.)))",
        "LL401 E",
    ),
    "zero times inf": ("y_true * 0.0 * tf.math.log(tf.nn.relu(y_pred))", "LL401 E"),
    "picked by the label": ("-tf.math.log(tf.reduce_sum(y_true * y_pred, axis=-1))", "LL401 W"),
    # --- LL401: silent
    "picked and guarded": ("-tf.math.log(tf.reduce_sum(y_true * y_pred, axis=-1) + 1e-7)", ""),
    "clip": ("p = tf.clip_by_value(y_pred, 1e-7, 1.0 - 1e-7)\ny_true * tf.math.log(p) + tf.math.log(1 - p)", ""),
    "plus eps": ("-tf.math.log(y_pred + 1e-7)", ""),
    "plus eps above": ("-(1 - y_true) * tf.math.log(1 - y_pred + 1e-7)", ""),
    "eps 1e-8 below": ("-y_true * tf.math.log(y_pred + 1e-8)", ""),
    "maximum": ("-tf.math.log(tf.maximum(y_pred, 1e-15))", ""),
    "maximum of the complement": ("-tf.math.log(tf.maximum(1 - y_pred, 1e-8)) * (1 - y_true)", ""),
    "softmax guarded": ("-tf.math.log(tf.nn.softmax(y_pred) + 1e-8)", ""),
    "softmax clipped": ("-tf.math.log(tf.clip_by_value(tf.nn.softmax(y_pred), 1e-8, 1.0))", ""),
    "exp of unknown": ("tf.math.log(tf.exp(y_pred) * 2.0) + 1.0 / tf.exp(y_pred)", ""),
    "softplus": ("tf.math.log(tf.math.softplus(y_pred) + 1e-6)", ""),
    "one plus square": ("tf.math.log(1.0 + tf.square(y_true - y_pred))", ""),
    "log1p of abs": ("tf.math.log1p(tf.abs(y_true - y_pred))", ""),
    "log cosh": ("tf.math.log(tf.cosh(y_true - y_pred))", ""),
    "sum of a softmax": ("tf.math.log(tf.reduce_sum(tf.nn.softmax(y_pred, axis=-1), axis=-1))", ""),
    "p_t of clipped": (
        "p = tf.clip_by_value(y_pred, 1e-7, 1 - 1e-7)\n-tf.math.log(y_true * p + (1 - y_true) * (1 - p))",
        "",
    ),
    "where of clipped": (
        "p = tf.clip_by_value(y_pred, 1e-7, 1 - 1e-7)\n-tf.math.log(tf.where(tf.equal(y_true, 1), p, 1 - p))",
        "",
    ),
    "p + (1 - p)": ("p = tf.sigmoid(y_pred)\ntf.math.log(p + (1 - p))", ""),
    "double where": (
        "s = tf.where(y_pred > 0, y_pred, tf.ones_like(y_pred))\ntf.where(y_pred > 0, tf.math.log(s), 0.0)",
        "",
    ),
    "unknown difference": ("tf.math.log(y_true - 3.0 * y_pred)", ""),
    "logits are no probabilities": ("tf.nn.sigmoid(y_pred) - tf.math.log(y_pred)", ""),
    "library": ("tf.keras.losses.binary_crossentropy(y_true, y_pred)", ""),
    "labels only": ("(1 - y_true) * y_pred + tf.math.log(y_true)", ""),
    "affine": ("p = (y_pred + 0.01) / 1.02\n-(1 - y_true) / (1 - p) - y_true * tf.math.log(p)", ""),
    # --- LL402
    "clip to 1 - 1e-8": (
        "p = tf.clip_by_value(y_pred, 1e-8, 1.0 - 1e-8)\ny_true * tf.math.log(p) + (1 - y_true) * tf.math.log(1.0 - p)",
        "LL402 E",
    ),
    "folded constants": ("-(1 - y_true) * tf.math.log(1 - y_pred + 1e-8)", "LL402 W"),
    "folded constants of a sigmoid": ("-tf.math.log(1 - tf.sigmoid(y_pred) + 1e-10)", "LL402 E"),
    "eps first": ("-(1 - y_true) * tf.math.log(1e-10 + 1.0 - y_pred)", "LL402 W"),
    "ones_like": ("-(1 - y_true) * tf.math.log(tf.ones_like(y_pred) - y_pred + 1e-9)", "LL402 W"),
    "below the smallest float32": ("-tf.math.log(tf.nn.relu(y_pred) + 1e-46)", "LL402 E"),
    "float16": ("p = tf.cast(tf.nn.softmax(y_pred), tf.float16)\n-tf.math.log(p + 1e-8)", "LL402 E"),
    "float64 keeps it": ("p = tf.cast(tf.sigmoid(y_pred), tf.float64)\n-tf.math.log(1 - p + 1e-8)", ""),
    "a clipped exponent is no lost epsilon": ("tf.sqrt(tf.exp(tf.clip_by_value(y_pred, -100.0, 80.0)))", ""),
    "a division": ("p = tf.sigmoid(y_pred)\np / (1 - p + 1e-10)", "LL402 E"),
    "1e-7 is kept": ("-tf.math.log(1 - tf.sigmoid(y_pred) + 1e-7)", ""),
    # --- LL403
    "clip after log": ("tf.clip_by_value(tf.math.log(y_pred), -100.0, 0.0)", "LL403 W"),
    "maximum after log": ("tf.maximum(tf.math.log(tf.sigmoid(y_pred) * y_true), -100.0)", "LL403 E"),
    "clip of a minus log": ("tf.minimum(-tf.math.log(tf.nn.relu(y_pred)), 50.0)", "LL403 E"),
    "clip of a safe log": ("tf.maximum(tf.math.log(y_pred + 1e-7), -10.0)", ""),
    # --- LL404
    "dice": (
        "1 - 2 * tf.reduce_sum(y_true * y_pred) / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred))",
        "LL404 W",
    ),
    "iou": (
        "i = tf.reduce_sum(y_true * y_pred)\n1 - i / (tf.reduce_sum(y_true + y_pred) - i)",
        "LL404 W",
    ),
    "tanimoto": (
        "d = tf.reduce_sum(y_true**2 + y_pred**2 - y_true * y_pred, axis=-1)\n"
        "1 - tf.reduce_sum(y_true * y_pred, axis=-1) / d",
        "LL404 W",
    ),
    "confusion counts": (
        "tp = tf.reduce_sum(y_true * y_pred)\nfn = tf.reduce_sum(y_true * (1 - y_pred))\n"
        "fp = tf.reduce_sum((1 - y_true) * y_pred)\n1 - (2 * tp + 1e-7) / (2 * tp + fp + fn)",
        "LL404 W",
    ),
    "masked mean": (
        "m = tf.cast(tf.not_equal(y_true, 0), tf.float32)\n"
        "tf.reduce_sum(m * tf.abs(y_true - y_pred)) / tf.reduce_sum(m)",
        "LL404 W",
    ),
    "percentage": ("tf.abs(y_true - y_pred) / y_true", "LL404 W"),
    "per prediction": ("(y_true + 1e-7) / y_pred[:, 0]", "LL404 W"),
    "rescaled": ("p = y_pred / tf.reduce_sum(y_pred, axis=-1, keepdims=True)\n-y_true * p", "LL404 W"),
    "minimum for maximum": (
        "n = tf.reduce_sum(tf.cast(y_true > 0, tf.float32))\ntf.reduce_sum(tf.abs(y_pred)) / tf.minimum(n, 1.0)",
        "LL404 W",
    ),
    "pairs of equal labels but oneself": (
        "y = tf.reshape(y_true, [-1, 1])\nm = tf.cast(tf.equal(y, tf.transpose(y)), tf.float32)\n"
        "m = m - tf.linalg.diag(tf.ones([tf.size(y)]))\ntf.reduce_sum(tf.abs(y_pred)) / tf.reduce_sum(m)",
        "LL404 W",
    ),
    "empty selection": ("tf.reduce_mean(tf.boolean_mask(tf.abs(y_true - y_pred), y_true > 0))", "LL404 W"),
    "dice, smooth": (
        "1 - (2 * tf.reduce_sum(y_true * y_pred) + 1) / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred) + 1)",
        "",
    ),
    "confusion counts, smooth": (
        "tp = tf.reduce_sum(y_true * y_pred)\nfn = tf.reduce_sum(y_true * (1 - y_pred))\n"
        "fp = tf.reduce_sum((1 - y_true) * y_pred)\n1 - (tp + 1e-7) / (tp + 0.7 * fn + 0.3 * fp + 1e-7)",
        "",
    ),
    "divide_no_nan": (
        "m = tf.cast(y_true > 0, tf.float32)\ntf.math.divide_no_nan(tf.reduce_sum(m * y_pred), tf.reduce_sum(m))",
        "",
    ),
    "maximum of a count": (
        "m = tf.cast(y_true > 0, tf.float32)\ntf.reduce_sum(m * y_pred) / tf.maximum(tf.reduce_sum(m), 1.0)",
        "",
    ),
    "pairs of equal labels": (
        "y = tf.expand_dims(y_true, -1)\ny = tf.cast(tf.equal(y, tf.transpose(y)), tf.float32)\n"
        "y = y / tf.reduce_sum(y, 1, keepdims=True)\n"
        "tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=y_pred, labels=y))",
        "",
    ),
    "batch size": ("tf.reduce_sum(tf.abs(y_true - y_pred)) / tf.cast(tf.shape(y_true)[0], tf.float32)", ""),
    "hand-made softmax": (
        "e = tf.exp(y_pred - tf.reduce_max(y_pred, -1, keepdims=True))\n"
        "-y_true * e / tf.reduce_sum(e, -1, keepdims=True)",
        "",
    ),
    "a constant": ("y_pred / 255.0", ""),
    "variance plus one": ("tf.square(y_pred) / (1.0 + tf.math.reduce_variance(y_pred))", ""),
    # --- LL405
    "eps outside": (
        "i = tf.reduce_sum(y_true * y_pred)\n1 - (2 * i / tf.reduce_sum(y_true + y_pred) + 1e-7)",
        "LL405 W",
    ),
    "eps outside of a safe ratio": ("tf.abs(y_pred) / (1.0 + tf.abs(y_true)) + 1e-7", ""),
    "eps that guards a log": (
        "r = tf.reduce_sum(y_true * tf.nn.relu(y_pred)) / (1.0 + tf.reduce_sum(tf.abs(y_true)))\n"
        "-tf.math.log(tf.abs(r) + 1e-7)",
        "",
    ),
    # --- LL406
    "rmse": ("tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred)))", "LL406 W"),
    "rmse by power": ("tf.reduce_mean((y_true - y_pred) ** 2) ** 0.5", "LL406 W"),
    "norm": ("tf.norm(y_true - y_pred, axis=-1)", "LL406 W"),
    "deviation": ("tf.abs(y_true) - tf.math.reduce_std(y_pred)", "LL406 W"),
    "maximum with 0": ("tf.sqrt(tf.maximum(tf.reduce_sum(y_pred, -1), 0.0))", "LL406 W"),
    "focal tversky": (
        "tp = tf.reduce_sum(y_true * y_pred)\nfn = tf.reduce_sum(y_true * (1 - y_pred))\n"
        "fp = tf.reduce_sum((1 - y_true) * y_pred)\nt = (tp + 1) / (tp + 0.7 * fn + 0.3 * fp + 1)\ntf.pow(1 - t, 0.75)",
        "LL406 W",
    ),
    "pairwise distances": (
        "d = tf.matmul(y_pred, tf.transpose(y_pred))\nn = tf.linalg.diag_part(d)\n"
        "q = tf.expand_dims(n, 0) - 2.0 * d + tf.expand_dims(n, 1)\ntf.reduce_mean(tf.sqrt(q))",
        "LL406 W",
    ),
    "masked root": (
        "d = tf.reduce_sum(tf.square(y_pred), -1)\nz = tf.cast(tf.equal(d, 0.0), tf.float32)\ntf.sqrt(d) * (1.0 - z)",
        "LL406 I",
    ),
    "root with eps": ("tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred)) + 1e-12)", ""),
    "root of a guarded maximum": ("tf.sqrt(tf.maximum(tf.reduce_sum(tf.square(y_pred), -1), 1e-7))", ""),
    "guard by the mask itself": (
        "d = tf.maximum(tf.reduce_sum(tf.square(y_pred), -1), 0.0)\nz = tf.cast(tf.equal(d, 0.0), tf.float32)\n"
        "tf.sqrt(d + z * 1e-16) * (1.0 - z)",
        "",
    ),
    "root of labels": ("tf.sqrt(tf.nn.relu(y_true)) * y_pred", ""),
    "root of unknown": ("tf.sqrt(y_true - 2.0 * y_pred)", ""),
    "square by power": ("(y_true - y_pred) ** 2 + tf.abs(y_pred) ** 1.5", ""),
    "manhattan": ("tf.norm(y_true - y_pred, ord=1, axis=-1)", ""),
    # --- LL407
    "where log": ("tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)", "LL407 E"),
    "where log of a relu": ("p = tf.nn.relu(y_pred)\ntf.where(p > 0.0, tf.math.log(p), tf.zeros_like(p))", "LL407 E"),
    "where division": (
        "n = tf.reduce_sum(y_pred)\ntf.where(tf.equal(n, 0.0), 0.0, tf.reduce_sum(y_true * y_pred) / n)",
        "LL407 E",
    ),
    "where nan": (
        "r = tf.reduce_sum(y_true * y_pred) / tf.reduce_sum(y_true)\ntf.where(tf.math.is_nan(r), 0.0, r)",
        "LL407 E",
    ),
    "where exp": ("tf.where(y_pred > 20.0, y_pred, tf.exp(y_pred))", "LL407 E"),
    "where kl": (
        "p = tf.where(y_true > 0, y_true * tf.math.log(y_true / tf.exp(y_pred)), 0.0)\ntf.reduce_sum(p)",
        "LL407 E",
    ),
    "multiply_no_nan": (
        "m = tf.cast(y_pred > 0, tf.float32)\ntf.math.multiply_no_nan(tf.math.log(y_pred), m)",
        "LL407 E",
    ),
    "where root": ("d = tf.square(y_pred)\ntf.where(d > 0, tf.sqrt(d), 0.0)", "LL407 I"),
    "where nan that never is": (
        "p = tf.clip_by_value(y_pred, 0.0, 1.0)\ntp = tf.reduce_sum(p)\nr = tp / (tp + 1e-7)\n"
        "tf.where(tf.math.is_nan(r), 0.0, r)",
        "",
    ),
    "where of labels": (
        "w = tf.where(y_true > 0, tf.math.log(y_true), 0.0)\ntf.reduce_mean(tf.square(w - y_pred))",
        "",
    ),
    "where on labels guards no prediction": (
        "tf.where(tf.equal(y_true, 1), tf.math.log(y_pred), tf.math.log(1 - y_pred))",
        "LL401 W,LL401 W",
    ),
    "safe division": (
        "n = tf.reduce_sum(y_true)\nz = tf.equal(n, 0.0)\ns = tf.where(z, 1.0, n)\n"
        "tf.where(z, 0.0, tf.reduce_sum(y_true * y_pred) / s)",
        "",
    ),
    "huber": ("e = tf.abs(y_true - y_pred)\ntf.where(e < 1.0, 0.5 * e**2, e - 0.5)", ""),
    "scaled by a hyper-parameter": (
        "p = y_pred / options.scale\ntf.reduce_sum(tf.boolean_mask(p, y_true > 0.0))",
        "",
    ),
    "scaled by an extent": ("tf.reduce_mean(y_pred / tf.cast(tf.shape(y_pred)[1] * 8, tf.float32) ** 2)", ""),
    # --- LL409
    "log softmax": ("-y_true * tf.math.log(tf.nn.softmax(y_pred))", "LL409 W"),
    "log sigmoid": ("-y_true * tf.math.log(tf.sigmoid(y_pred))", "LL409 W"),
    "log softmax, gathered": ("-tf.math.log(tf.gather(tf.nn.softmax(y_pred), 1, axis=-1))", "LL409 W"),
    "log(1 + exp)": ("tf.math.log(1.0 + tf.exp(-y_true * y_pred))", "LL409 W"),
    "log1p(exp)": ("tf.math.log1p(tf.exp(y_pred - y_true))", "LL409 W"),
    "log(sum(exp))": ("tf.math.log(tf.reduce_sum(tf.exp(y_pred), axis=-1))", "LL409 W"),
    "log1p(exp(-abs))": ("tf.math.log1p(tf.exp(-tf.abs(y_pred)))", ""),
    "log(sum(exp(x - max)))": (
        "m = tf.reduce_max(y_pred, -1, keepdims=True)\n"
        "tf.math.log(tf.reduce_sum(tf.exp(y_pred - m), -1, keepdims=True)) + m",
        "",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    body, expected = CASES[name]
    assert said(body) == [e for e in expected.split(",") if e]


def test_metrics_are_one_severity_lower_and_without_gradient_rules() -> None:
    assert said("tf.math.log(tf.nn.relu(y_pred))", name="log_metric") == ["LL401 W"]
    assert said("tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred)))", name="rmse_metric") == []
    assert said("tf.reduce_sum(y_pred) / tf.reduce_sum(y_true)", name="ratio_metric") == ["LL404 I"]


def test_messages_name_what_was_written_and_what_was_assumed() -> None:
    [finding] = findings("-tf.reduce_mean(y_true * tf.math.log(y_pred))")
    assert "tf.math.log" in finding.message
    assert "assuming y_pred is a probability in [0, 1]" in finding.message
    assert finding.fact == "range [0, 1] contains 0 (reached at y_pred = 0)"
    assert "logits" in finding.help and finding.help.index("logits") < finding.help.index("clip")
    assert (finding.span.row, finding.span.column) == (5, 37)


def test_messages_say_where_the_epsilon_went() -> None:
    [finding] = findings("-tf.math.log(1 - tf.sigmoid(y_pred) + 1e-10)")
    assert "lost in float32" in finding.message and "1e-7" in finding.help


def test_help_for_a_division_by_a_count() -> None:
    [finding] = findings("m = tf.cast(y_true > 0, tf.float32)\ntf.reduce_sum(m * y_pred) / tf.reduce_sum(m)")
    assert finding.message == "the denominator, a sum, can be 0"
    assert "divide_no_nan" in finding.help


def test_guard_established_in_a_helper_or_earlier_is_followed() -> None:
    assert said("y_pred = tf.clip_by_value(y_pred, 1e-7, 1.0)\ny_pred = y_pred * 1.0\n-tf.math.log(y_pred)") == []
    assert said("f = lambda p: tf.maximum(p, 1e-7)\n-tf.math.log(f(y_pred))") == []


def test_smoothing_of_unknown_value_is_trusted() -> None:
    dice = "1 - tf.reduce_sum(y_true * y_pred) / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred) + smooth)"
    assert said(dice, parameters="y_true, y_pred, smooth") == []
    assert said(dice) == []  # from somewhere else


def test_one_finding_for_one_fault() -> None:
    assert said("tf.where(y_pred > 0, tf.math.log(tf.nn.relu(y_pred)), 0.0)") == ["LL407 E"]
    assert said("tf.maximum(tf.math.log(tf.nn.softmax(y_pred)), -100.0)") == ["LL403 E"]


def test_what_reaches_no_result_is_silent() -> None:
    assert said("unused = tf.math.log(tf.nn.relu(y_pred))\ntf.square(y_pred - y_true)") == []


@pytest.mark.parametrize("turns", [300])
def test_a_long_loss_is_looked_at_in_good_time(turns: int) -> None:
    body = "x = y_pred\n" + "x = tf.tanh(x) * y_true + tf.square(x)\n" * turns + "tf.math.log(tf.nn.relu(x))"
    assert said(body) == ["LL401 E"]


def test_a_spread_is_positive_and_no_probability() -> None:
    found = findings("-tf.math.log(sigma)", name="nll", parameters="y_true, mu, sigma")
    assert [f.code for f in found] == ["LL401"]
    assert "sigma is not negative" in found[0].message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("tf.reduce_mean(tf.boolean_mask(tf.exp(y_pred), y_true > 0.5))", ["LL404 W"]),
        ("tf.reduce_mean(tf.boolean_mask(y_pred, tf.cast(tf.square(y_true), tf.bool)))", ["LL404 W"]),
        ("tf.reduce_mean(tf.boolean_mask(y_pred, y_true > 0.5)) - 1.0", ["LL404 W"]),
        ("m = tf.reduce_mean(tf.boolean_mask(y_pred, y_true > 0.5))\ntf.where(m > 0.0, m, 0.0)", []),
        ("tf.reduce_mean(y_pred) / tf.reduce_sum(table)", []),
    ],
)
def test_means_of_what_a_mask_keeps(body, expected):
    assert short.said(body, ["LL404"]) == expected


def test_the_denominator_is_named_where_it_has_a_name():
    [source] = short.findings("tf.abs(y_true - y_pred) / y_true", ["LL404"])
    [difference] = short.findings("tf.abs(y_pred) / tf.abs(y_true - 1.0)", ["LL404"])
    assert "the denominator, y_true, can be 0" in source.message
    assert "the denominator can be 0" in difference.message
