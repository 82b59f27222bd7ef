from __future__ import annotations

import pytest

import losslint.checks.classes  # noqa: F401
from losslint.findings import Severity
from losslint.interpreter.machine import Machine
from losslint.options import Options
from losslint.subjects.classes import LossClass, loss_classes
from tests.hand import drafts as of_loss
from tests.subjects import drafts, found
from tests.traced import traced

CALL = "\n    def call(self, y_true, y_pred):\n        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)\n"


def only(source: str, keras: str = "3") -> LossClass:
    [subject] = found(loss_classes, source, Options(keras=keras))
    return subject


# --- facts ------------------------------------------------------------------------------------------------------------


def test_a_class_is_read() -> None:
    subject = only(
        """
        class Scaled(keras.losses.Loss):
            def __init__(self, scale, shift=0.0, *, reduction="sum", name=None, **kwargs):
                super().__init__(name=name, reduction=reduction)
                self._scale = scale
                self.shift = float(shift)

            def call(self, y_true, y_pred):
                return self._scale * (y_true - y_pred) + self.shift

            def get_config(self):
                return {**super().get_config(), "scale": self._scale}
        """
    )
    assert [(p.name, p.required, p.attribute) for p in subject.parameters][:2] == [
        ("scale", True, "_scale"),
        ("shift", False, "shift"),
    ]
    assert [p.passed_on for p in subject.parameters] == [False, False, True, True]
    assert subject.config.keys == {"name", "reduction", "scale"}
    assert subject.open_ended and subject.initialises and subject.calls and not subject.abstract
    assert subject.library == "keras.losses.Loss" and subject.is_plain


def test_only_losses_are_subjects() -> None:
    source = """
        class LossLayer(keras.layers.Layer):
            pass

        class LossTracker:
            pass

        class MyLoss(Unknown):
            pass
    """
    assert found(loss_classes, source) == []


def test_lineage_leads_through_classes_of_the_file() -> None:
    source = "class A(keras.losses.Loss):" + CALL + "\nclass B(A):\n    def __init__(self, p=1):\n        self.p = p\n"
    first, second = found(loss_classes, source)
    assert first.abstract, "it is derived from"
    assert second.library == "keras.losses.Loss" and second.calls and not second.initialises


def test_an_open_configuration_is_unknown() -> None:
    for config in (
        "{**settings(), 'p': self.p}",
        "dict(settings(), p=self.p)",
        "dict(list(settings().items()))",
        "settings()",
        "dict(zip(names, values))",
    ):
        source = "class A(keras.losses.Loss):" + CALL + f"\n    def get_config(self):\n        return {config}\n"
        assert only(source).config.keys is None, config


def test_a_budget_costs_one_class_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "limit", 1_000)
    endless = "".join(f"        self.a{i} = {i}\n" for i in range(1_100))
    source = f"class A(keras.losses.Loss):\n    def __init__(self):\n{endless}{CALL}\nclass B(keras.losses.Loss):{CALL}"
    assert [subject.name for subject in found(loss_classes, source)] == ["B"]


# --- LL504 ------------------------------------------------------------------------------------------------------------


def initialised(call: str, keras: str = "3", base: str = "keras.losses.Loss") -> LossClass:
    head = f"class A({base}):\n    def __init__(self, reduction=None, name=None):\n        {call}\n"
    return only(head + CALL, keras)


def test_old_order_is_wrong_in_keras_3_only() -> None:
    [draft] = drafts(initialised("super().__init__(reduction, name)"), "LL504")
    assert draft.severity == Severity.ERROR
    assert draft.data == {"keywords": ("reduction", "name")}
    assert drafts(initialised("super().__init__(reduction, name)", keras="2"), "LL504") == []


def test_evidence_of_the_old_order() -> None:
    for call in ("reduction", "'none'", "tf.keras.losses.Reduction.SUM, name", "self.reduction, 'x'"):
        assert drafts(initialised(f"super().__init__({call})"), "LL504"), call
    for call in ("name, reduction", "'mine', 'sum'", "'sum', reduction", "*args", "name=name", "kind, name"):
        assert drafts(initialised(f"super().__init__({call})"), "LL504") == [], call


def test_function_wrappers_have_another_order() -> None:
    subject = initialised("super().__init__(f, reduction, name)", base="keras.losses.LossFunctionWrapper")
    assert drafts(subject, "LL504") == []


# --- LL505 ------------------------------------------------------------------------------------------------------------


def called(parameters: str, body: str) -> list[str]:
    subject = only(f"class A(keras.losses.Loss):\n    def __call__({parameters}):\n        return {body}\n")
    return [draft.message.rpartition(": ")[2] for draft in drafts(subject, "LL505")]


def test_own_call() -> None:
    per_sample = "tf.reduce_mean(tf.square(y - p), axis=-1)"
    assert "TypeError" in called("self, y, p", f"tf.reduce_mean({per_sample})")[0]
    assert "sum over the batch" in called("self, y, p, sample_weight=None", per_sample)[0]
    assert called("self, y, p, sample_weight=None", f"tf.reduce_mean({per_sample})") == []
    assert called("self, y, p, sample_weight=None", "helper(y, p)") == [], "unknown"
    assert called("self, y, p", "super().__call__(y, p)") == []


def test_missing_call_and_constructor() -> None:
    lacks_call = only("class A(keras.losses.Loss):\n    def loss(self, y_true, y_pred):\n        return y_pred\n")
    assert [d.data for d in drafts(lacks_call, "LL505")] == [{"missing": "call"}]
    lacks_init = only("class A(keras.losses.Loss):\n    def __init__(self):\n        self.a = 1\n" + CALL)
    assert [d.data for d in drafts(lacks_init, "LL505")] == [{"missing": "super"}]


def test_bases_that_are_not_known_may_define_anything() -> None:
    source = "class A(Mixin, keras.losses.Loss):\n    def loss(self, y_true, y_pred):\n        return y_pred\n"
    assert drafts(only(source), "LL505") == []


def test_who_differentiates_may_call_as_they_like() -> None:
    source = (
        "class A(keras.losses.Loss):\n    def __call__(self, y, p):\n        return tf.reduce_mean(y - p)\n"
        "\ndef step(model, x, y):\n    with tf.GradientTape() as tape:\n        loss = A()(y, model(x))\n"
        "    return tape.gradient(loss, model.trainable_variables)\n"
    )
    assert [d.severity for d in drafts(only(source), "LL505")] == [Severity.INFO]
    compiled = source + "\nmodel.compile(loss=A())\n"
    assert [d.severity for d in drafts(only(compiled), "LL505")] == [Severity.ERROR]


# --- LL506 ------------------------------------------------------------------------------------------------------------


def test_lost_arguments_and_where_they_are() -> None:
    source = (
        "class A(keras.losses.Loss):\n    def __init__(self, alpha, beta=1.0, name='a'):\n"
        "        super().__init__(name=name)\n        self._alpha, self.b = alpha, abs(beta)\n" + CALL
    )
    [draft] = drafts(only(source), "LL506")
    told = {"parameters": ("alpha", "beta"), "attributes": {"alpha": "_alpha"}, "method": False}
    assert draft.data == told | {"claim": {"parameters": "alpha beta"}}
    assert draft.message.endswith("a saved model cannot be loaded, as __init__ requires alpha")


def test_what_loading_does() -> None:
    def message(parameters: str) -> str:
        head = f"class A(keras.losses.Loss):\n    def __init__(self, {parameters}):\n        super().__init__()\n"
        return drafts(only(head + CALL), "LL506")[0].message

    assert "loaded with the default again" in message("alpha=1.0, **kwargs")
    assert "loaded with the defaults again" in message("alpha=1.0, beta=2.0, name=None, reduction='sum'")
    assert "does not take what get_config returns" in message("alpha=1.0")


def test_functions_are_no_part_of_a_configuration() -> None:
    for name in ("distance_fn", "model", "base_loss", "f"):
        head = f"class A(keras.losses.Loss):\n    def __init__(self, {name}, **kw):\n        super().__init__(**kw)\n"
        assert drafts(only(head + CALL), "LL506") == [], name


# --- LL106 ------------------------------------------------------------------------------------------------------------


def unaligned(body: str, base: str = "keras.losses.Loss", header: str = "") -> list[str]:
    source = f"{header}\nclass A({base}):\n    def call(self, y_true, y_pred):\n        {body}\n"
    return [str(draft.severity.label) for draft in of_loss(traced(source, "A.call"), "LL106")]


def test_labels_that_meet_predictions_as_they_come() -> None:
    for value in (
        "y_true - y_pred",
        "tf.cast(y_true, tf.float32) * tf.math.log(tf.clip_by_value(y_pred, 1e-7, 1.0))",
        "tf.math.squared_difference(y_true, y_pred)",
    ):
        assert unaligned(f"return tf.reduce_mean({value}, axis=-1)") == ["info"], value


def test_what_is_aligned_or_no_loss_of_keras_3() -> None:
    meet = "return tf.reduce_mean(y_true - y_pred, axis=-1)"
    assert unaligned(f"y_true = tf.reshape(y_true, tf.shape(y_pred)); {meet}") == []
    assert unaligned(f"y_true = align(y_true, y_pred); {meet}") == []
    assert unaligned("return keras.losses.huber(y_true, y_pred)") == []
    assert unaligned("return tf.nn.sigmoid_cross_entropy_with_logits(y_true, y_pred)") == []
    assert unaligned(meet, base="Loss", header="class Loss:\n    pass\n") == []
    assert unaligned(meet, header="import tf_keras") == []


@pytest.mark.parametrize(
    ("bases", "body", "abstract"),
    [
        ("keras.losses.Loss, abc.ABC", "pass", True),
        ("keras.losses.Loss", "@abc.abstractmethod\n            def parts(self): ...", True),
        ("keras.losses.Loss", "def call(self, y_true, y_pred): raise NotImplementedError", True),
        ("keras.losses.Loss", "def parts(self): ...", False),
    ],
)
def test_what_is_made_to_be_derived_from(bases: str, body: str, abstract: bool) -> None:
    source = f"""
        import abc
        class Weighted({bases}):
            {body}
        """
    assert only(source).abstract is abstract


@pytest.mark.parametrize(
    ("returned", "scalar"),
    [
        ("tf.reduce_mean(y_true - y_pred)", True),
        ("tf.reduce_mean(y_true - y_pred, axis=-1)", False),
        ("{'loss': y_true - y_pred}", None),
        ("self.unknown(y_true)", None),
    ],
)
def test_what_it_returns_when_called_is_a_scalar_or_not(returned: str, scalar: bool | None) -> None:
    subject = only(f"""
        class Weighted(keras.losses.Loss):
            def __call__(self, y_true, y_pred):
                return {returned}
        """)
    assert subject.override is not None and subject.override.scalar is scalar
