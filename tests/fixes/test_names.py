"""LL503: how the new name is written, with the import that it needs, and what is not renamed for it would differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixes.fixed import check, fixed_text

K = "from keras import backend as K\n"
TF = "import tensorflow as tf\n"
SQUARE = "K.mean(K.square(y_true - y_pred), axis=-1)"
OPS = "ops.mean(ops.square(y_true - y_pred), axis=-1)"


def text(imports: str, result: str, *rows: str) -> str:
    return f"{imports}\n\n" + "\n    ".join(("def loss(y_true, y_pred):", *rows, f"return {result}")) + "\n"


@pytest.mark.parametrize(
    ("imports", "after", "result"),
    [
        (K, f"{K}from keras import ops\n", OPS),
        ("import keras.backend as K  # why\n", "import keras.backend as K  # why\nfrom keras import ops\n", OPS),
        (K + "x = 1\n", f"{K}from keras import ops\nx = 1\n", OPS),
        ("from keras import (\n    backend as K,\n)\n", None, OPS),
        ("from keras import backend as K, layers\n", None, OPS),
        (f"{K}from keras import ops as o\n", f"{K}from keras import ops as o\n", OPS.replace("ops", "o")),
    ],
)
def test_an_import_comes_with_the_name(imports: str, after: str | None, result: str, tmp_path: Path) -> None:
    after = after if after is not None else f"{imports}from keras import ops\n"
    assert fixed_text(tmp_path, text(imports, SQUARE), select="LL503") == text(after, result)
    assert fixed_text(tmp_path, text(after, result), select="LL503") == text(after, result)


@pytest.mark.parametrize("name", ["keras", "keras.backend"])
def test_the_package_is_there_already(name: str, tmp_path: Path) -> None:
    old, new = (SQUARE.replace("K.", f"keras.{module}.") for module in ("backend", "ops"))
    assert fixed_text(tmp_path, text(f"import {name}\n", old), select="LL503") == text(f"import {name}\n", new)


@pytest.mark.parametrize(
    "imports",
    [
        f"{K}from mine import ops\n",
        f"{K}import ops\n",
        f"{K}ops = 1\n",
        f"{K}def f(ops):\n    pass\n",
        f"{K}def ops():\n    pass\n",
        f"{K}class ops:\n    pass\n",
        f"{K}print(ops)\n",
        K + K,
        "from keras import backend as K; x = 1\n",
        "try:\n    from keras import backend as K\nexcept ImportError:\n    raise\n",
    ],
)
def test_no_import_is_added(imports: str, tmp_path: Path) -> None:
    assert fixed_text(tmp_path, text(imports, SQUARE), select="LL503") == text(imports, SQUARE)
    assert {(f.code, f.fix) for f in check(tmp_path, select="LL503").findings} == {("LL503", None)}


def test_no_import_is_added_beside_one_in_a_function(tmp_path: Path) -> None:
    source = text("", SQUARE, K.strip())
    assert fixed_text(tmp_path, source, select="LL503") == source


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("K.clip(y_pred, min_value=1e-7, max_value=1.0)", "ops.clip(y_pred, x_min=1e-7, x_max=1.0)"),
        ("K.argmax(y_pred, axis=-1)", "ops.argmax(y_pred, axis=-1)"),
        ("K.argmax(y_pred, -1)", "ops.argmax(y_pred, -1)"),
        ("K.ones((2, 3), dtype='float32')", "ops.ones((2, 3), dtype='float32')"),
        ("K.flatten(y_pred)", "ops.reshape(y_pred, [-1])"),
        ("K.gather(y_pred, y_true)", "ops.take(y_pred, y_true, axis=0)"),
        # the default is another one, or it cannot be seen what is passed
        ("K.argmax(y_pred)", ""),
        ("K.argmax(*y_pred)", ""),
        ("K.ones((2, 3), 'float32', 'name')", ""),
        ("K.shape(y_pred)", ""),
        ("K.sum(y_pred, **y_true)", ""),
        ("K.sum(y_pred, axes=-1)", ""),
        ("K.clip(y_pred, min_value=1e-7, x_min=1e-7, max_value=1.0)", ""),
        ("K.flatten(*y_pred)", ""),
        ("K.flatten(x=y_pred)", ""),
        ("list(map(K.argmax, y_pred))", ""),
    ],
)
def test_functions_of_the_backend(old: str, new: str, tmp_path: Path) -> None:
    expected = text(f"{K}from keras import ops\n", new) if new else text(K, old)
    assert fixed_text(tmp_path, text(K, old), select="LL503") == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tf.to_float(y_pred)", "tf.cast(y_pred, tf.float32)"),
        ("tf.to_float((y_pred))", "tf.cast((y_pred), tf.float32)"),
        ("('ü', tf.to_int32(y_pred))[1]", "('ü', tf.cast(y_pred, tf.int32))[1]"),
        ("tf.reduce_sum(tf.log(y_pred), reduction_indices=[1])", "tf.reduce_sum(tf.math.log(y_pred), axis=[1])"),
        ("tf.arg_max(y_pred, dimension=1)", "tf.argmax(y_pred, axis=1)"),
        ("tf.to_float(y_pred,)", ""),
        ("tf.to_float(\n        y_pred\n    )", ""),
        ("tf.to_float(y_pred, name='ü')", ""),
        ("tf.arg_max(y_pred)", ""),
        ("tf.div(y_true, y_pred)", ""),
        ("tf.reduce_sum(y_pred, reduction_indices=[1], axis=1)", ""),
    ],
)
def test_functions_of_tensorflow(old: str, new: str, tmp_path: Path) -> None:
    assert fixed_text(tmp_path, text(TF, old), select="LL503") == text(TF, new or old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from tensorflow import log\n", "from tensorflow.math import log\n"),
        ("from tensorflow import log as ln\n", "from tensorflow.math import log as ln\n"),
        ("from tensorflow import mul, exp\n", "from tensorflow import multiply as mul, exp\n"),
        ("from tensorflow import mul as times, exp\n", "from tensorflow import multiply as times, exp\n"),
        ("from keras.losses import kullback_leibler_divergence\n", None),
        ("from tensorflow import log, exp\n", ""),  # only one of them has moved
        ("from \\\n    tensorflow import log\n", ""),
        ("from tensorflow import to_float\n", ""),  # its calls would have to change
        ("from tensorflow import div\n", ""),
        ("from keras.backend import square\n", ""),
    ],
)
def test_imported_names(old: str, new: str | None, tmp_path: Path) -> None:
    name = old.split()[-1] if "exp" not in old else old.split(",")[0].split()[-1]
    if new is None:
        new = old.replace("import ", "import kl_divergence as ")
    source = text(old, f"{name}(y_true)")
    assert fixed_text(tmp_path, source, select="LL503") == (source.replace(old, new) if new else source)
    assert [f.code for f in check(tmp_path, fix=False, select="LL503").findings] == ["LL503"]
