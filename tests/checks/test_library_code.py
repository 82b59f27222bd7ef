"""What libraries do on purpose is no finding; the same code without the guard is one."""

from __future__ import annotations

import textwrap

import pytest

from losslint.engine import lint_module
from losslint.findings import Severity
from losslint.frontend.module import Module
from losslint.frontend.project import Project

HEADER = "import numpy as np\nimport tensorflow as tf\nimport keras\n"


def said(source: str, path: str = "losses.py") -> set[str]:
    """The codes of what is said about ``source`` at severity warning or worse."""
    module = Module(path, HEADER + textwrap.dedent(source))
    project = Project()
    project.add(module)
    findings, failures = lint_module(module, project)
    assert not failures
    return {f.code for f in findings if f.severity >= Severity.WARNING}


def branches(condition: str) -> str:
    """A mean over the positive labels that is only taken where ``condition`` holds."""
    return f"""
    def positives_loss(y_true, y_pred):
        mask = tf.cast(tf.greater(y_true, 0.0), tf.float32)
        count = tf.reduce_sum(mask)
        error = tf.square(y_true - y_pred)
        return tf.cond({condition}, lambda: tf.reduce_sum(error * mask) / count, lambda: tf.constant(0.0))
    """


@pytest.mark.parametrize(("condition", "codes"), [("count > 0", set()), ("count <= 0", {"LL404"})])
def test_a_branch_that_is_not_run_divides_nothing(condition: str, codes: set[str]) -> None:
    assert said(branches(condition)) == codes


@pytest.mark.parametrize("swapped", [False, True])
def test_cond_picks_between_results_that_both_exist(swapped: bool) -> None:
    kept, other = ("usual", "nothing") if not swapped else ("nothing", "usual")
    source = f"""
    def weighted_loss(y_true, y_pred):
        mask = tf.cast(tf.greater(y_true, 0.0), tf.float32)
        count = tf.reduce_sum(mask)
        usual = {{"w": mask / count}}
        nothing = {{"w": tf.zeros_like(mask)}}
        picked = keras.ops.cond(count == 0, lambda: {other}, lambda: {kept})
        return tf.reduce_sum(picked["w"] * tf.square(y_true - y_pred))
    """
    assert said(source) == ({"LL404"} if swapped else set())


@pytest.mark.parametrize(("instead", "codes"), [('float("nan")', set()), ("0.0", {"LL407"})])
def test_a_result_that_is_declared_to_be_nan_hides_nothing(instead: str, codes: set[str]) -> None:
    source = f"""
    def support_loss(y_true, y_pred):
        count = tf.reduce_sum(tf.cast(y_pred > 0.5, tf.float32), axis=-1)
        ratio = tf.reduce_sum(y_pred, axis=-1) / count
        return tf.where(tf.equal(count, 0.0), {instead}, ratio)
    """
    assert said(source) == codes


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("b, h, w, c = y_true.shape\n    return keras.ops.mean(error, axis=[1, 2, 3]) / (h * w)", set()),
        ("b, h, w, c = y_true.shape\n    return keras.ops.mean(keras.ops.reshape(error, (b, -1)), axis=-1)", {"LL306"}),
        ("if y_true.shape[0] != y_pred.shape[0]:\n        raise ValueError\n    return keras.ops.mean(error)", set()),
    ],
)
def test_a_missing_batch_size_matters_where_it_is_used(body: str, codes: set[str]) -> None:
    assert said(f"def pixel_loss(y_true, y_pred):\n    error = (y_true - y_pred) ** 2\n    {body}\n") == codes


def test_the_numpy_branch_of_a_helper_is_not_for_tensors() -> None:
    source = """
    def unit(x):
        if isinstance(x, np.ndarray):
            return x / np.linalg.norm(x)
        return keras.ops.normalize(x, axis=-1)
    def cosine_loss(y_true, y_pred):
        return -keras.ops.sum(unit(y_true) * unit(y_pred), axis=-1)
    """
    assert said(source) == set()


@pytest.mark.parametrize(
    ("path", "codes"), [("backend/numpy/nn.py", set()), ("losses_test.py", set()), ("losses.py", {"LL205"})]
)
def test_what_another_framework_computes_is_its_own_business(path: str, codes: set[str]) -> None:
    source = "def binary_crossentropy(target, output):\n    return -np.mean(target * np.abs(output), axis=-1)\n"
    assert said(source, path) == codes


@pytest.mark.parametrize(
    "source",
    [
        "def is_inside(anchors, gt_boxes):\n    return keras.ops.all(gt_boxes < anchors, axis=-1)\n",
        "def cond(pred, true_fn, false_fn):\n    return None\n",
        "class Store:\n    def put(self, embedding, label):\n        return 0\n",
        "def pairwise_distance(feature, squared):\n    return feature @ tf.transpose(feature)\n",
        "def gce_loss(y_true, y_pred, q):\n    return (1 - tf.reduce_sum(y_true * y_pred, -1)) / q\n",
        "class Part(keras.losses.Loss):\n"
        "    def __call__(self, y_true, y_pred, sample_weight=None):\n"
        "        return keras.ops.mean(self.call(y_true, y_pred) * sample_weight)\n"
        "strategy = tf.distribute.MirroredStrategy()\n",
        "def total_loss(y_true, y_pred):\n"
        "    return keras.ops.mean((y_pred['image'] - y_true) ** 2) + y_pred['codebook_loss']\n",
        "def boxes_loss(y_true, y_pred):\n"
        "    return keras.ops.sum((y_pred['box'] - y_true) ** 2) / keras.ops.cast(y_pred['count'][0], 'float32')\n",
    ],
)
def test_what_looks_like_a_fault_and_is_none(source: str) -> None:
    assert said(source) <= {"LL302"}


def test_boxes_are_converted_and_compared_one_by_one() -> None:
    source = """
    def box_loss(y_true, y_pred):
        true = keras.utils.bounding_boxes.convert_format(y_true, source="xywh", target="xyxy")
        pred = keras.utils.bounding_boxes.convert_format(y_pred, source="xywh", target="xyxy")
        return {0}(1.0 - keras.utils.bounding_boxes.compute_ciou(true, pred, bounding_box_format="xyxy"))
    """
    assert said(source.format("keras.ops.mean")) == set()
    assert said(source.format("keras.ops.sum")) == {"LL302"}


def test_an_axis_that_is_checked_first_is_still_known() -> None:
    source = """
    import operator
    def some_loss(y_true, y_pred, axis=-1):
        if isinstance(axis, bool):
            raise ValueError
        return keras.ops.sum((y_true - y_pred) ** 2, axis=operator.index(axis))
    """
    assert said(source) == set()
