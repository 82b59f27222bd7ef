"""LL503: what a file spells, and what the targeted version makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from losslint import sources
from losslint.checks.base import CHECKS, Draft
from losslint.engine import load_checks
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.frontend.references import references
from losslint.options import Options
from losslint.subjects.names import Names, names
from losslint.targets import Target
from tests.checks import short

load_checks()
LOSS = "\ndef loss(y_true, y_pred):\n    return {}\n"


def subjects(source: str, target: Target | None = None) -> list[Names]:
    module, project = Module("losses.py", source), Project()
    project.add(module)
    return list(names(module, project, Options(target=target or Target())))


def drafts(source: str, target: Target | None = None) -> list[Draft]:
    return [d for s in subjects(source, target) for d in CHECKS[Names]["LL503"](s)]


def only(source: str, target: Target | None = None) -> Draft:
    found = drafts(source, target)
    assert len(found) == 1, [d.message for d in found]
    return found[0]


def spelled(source: str) -> list[tuple[str, ...]]:
    return [r.names for r in references(Module("a.py", source), Project()).found]


def place(draft: Draft) -> str:
    span = draft.site.module.span(draft.site.tree)
    return draft.site.module.module.lines[span.row - 1][span.column - 1 : span.end_column - 1]


# -- names as they are written ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import tensorflow as tf\ntf.keras.losses.MSE", "tensorflow.keras.losses.MSE"),
        ("import tensorflow.keras.backend as K\nK.log", "tensorflow.keras.backend.log"),
        ("import keras.backend\nkeras.backend.log", "keras.backend.log"),
        ("import tensorflow.compat.v1 as tf\ntf.log", "tensorflow.compat.v1.log"),
        ("import tensorflow as tf\nK = tf.keras.backend\ndef f(): return K.log", "tensorflow.keras.backend.log"),
        ("def f():\n    import tensorflow as tf\n    return tf.log", "tensorflow.log"),
    ],
)
def test_names_are_resolved_but_not_canonicalised(source: str, name: str) -> None:
    assert (name,) in spelled(source)


@pytest.mark.parametrize(
    "source",
    [
        "def f(tf): return tf.log",
        "import tensorflow as tf\ntf = object()\ntf.log",
        "import tensorflow as tf\ndef f():\n    tf = other\n    return tf.log",
        "from .compat import tf\ntf.log",
        "lambda tf: tf.log",
        "x.tf.log",
    ],
)
def test_what_may_be_anything_is_no_name(source: str) -> None:
    assert all(n == ("tensorflow",) for n in spelled(source))


def test_positions_count_characters() -> None:
    source = "import tensorflow as tf\n" + LOSS.format("'é' and tf.log(y_pred)")
    assert place(only(source)) == "tf.log"


# -- what is missing -------------------------------------------------------------------------------------------------


def test_the_message_names_version_origin_and_new_name() -> None:
    draft = only("import tensorflow as tf" + LOSS.format("tf.log(y_pred)"))
    assert draft.message == "tf.log does not exist in TensorFlow 2.21 (the newest known); it is tf.math.log now"
    assert draft.data["rename"] == "tensorflow.math.log" and draft.data["spelled"] == "tf.math.log"
    assert draft.site.function == "loss"
    target = Target("2.15", "2.15", "setup.cfg")
    draft = only("import tensorflow as tf" + LOSS.format("tf.log(y_pred)"), target)
    assert "TensorFlow 2.15 (the newest that setup.cfg admits)" in draft.message


def test_a_new_name_out_of_reach_says_what_to_import() -> None:
    draft = only("from keras.backend import epsilon\nfrom tensorflow import log" + LOSS.format("log(y_pred)"))
    assert place(draft) == "log" and draft.site.function == "<module>"
    assert draft.data["spelled"] == "" and "import of tensorflow" in draft.help


def test_the_part_that_leads_nowhere_is_marked() -> None:
    draft = only(
        "import tensorflow as tf" + LOSS.format("tf.contrib.losses.metric_learning.npairs_loss(y_true, y_pred)")
    )
    assert place(draft) == "tf.contrib" and "removed" in draft.message


def test_targets_decide() -> None:
    source = "import tensorflow as tf" + LOSS.format("tf.keras.losses.mean_squared_error(y_true, y_pred)")
    assert drafts(source, Target("2.13", "2.13")) == []
    assert drafts(source, Target("1.15", "2.3")) == []
    assert drafts(source, Target(None, None)) == []
    assert "it is tf.keras.losses.MSE now" in only(source, Target("2.16", "3.3")).message
    assert drafts("import os\nos.environ['TF_USE_LEGACY_KERAS'] = '1'\n" + source) == []


def test_a_name_of_both_tensorflows_is_not_renamed() -> None:
    draft = only("import tensorflow as tf" + LOSS.format("tf.losses.mean_squared_error(y_true, y_pred)"))
    assert draft.data["rename"] == "" and "tf.compat.v1.losses.mean_squared_error" in draft.message


@pytest.mark.parametrize(
    ("call", "keyword", "new"),
    [
        ("tf.reduce_sum(y_pred, keep_dims=True)", "keep_dims", "keepdims"),
        ("tf.reduce_sum(y_pred, reduction_indices=1)", "reduction_indices", "axis"),
        ("tf.keras.losses.binary_crossentropy(y_true, y_pred, reduction='none')", "reduction", ""),
    ],
)
def test_keywords(call: str, keyword: str, new: str) -> None:
    draft = only("import tensorflow as tf" + LOSS.format(call))
    assert draft.data["keyword"] == keyword and draft.data["keywords"] == ({keyword: new} if new else {})
    assert place(draft).startswith(f"{keyword}=")


def test_keywords_of_tensorflow_1_in_its_own_namespace() -> None:
    assert not drafts("import tensorflow.compat.v1 as tf" + LOSS.format("tf.reduce_sum(y_pred, keep_dims=True)"))


def test_losses_that_are_chosen_outside_of_a_loss() -> None:
    found = drafts(
        "import tensorflow as tf\nmodel.compile(loss=tf.keras.losses.mean_squared_error)\nx = tf.placeholder(tf.float32)\n"
    )
    assert [place(d) for d in found] == ["tf.keras.losses.mean_squared_error"]


def test_helpers_are_a_part_of_the_loss_and_other_functions_are_none() -> None:
    source = "import tensorflow as tf\ndef helper(x): return tf.log(x)\ndef load(x): return tf.ceil(x)\n"
    assert [place(d) for d in drafts(source + LOSS.format("helper(y_pred)"))] == ["tf.log"]


# -- what the code sees to itself ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [
        "tf.log = tf.math.log",
        "setattr(tf, 'log', tf.math.log)",
        "if True:\n    tf.log = tf.math.log",
    ],
)
def test_names_that_the_file_sets(before: str) -> None:
    assert not drafts(f"import tensorflow as tf\n{before}\n" + LOSS.format("tf.log(y_pred)"))


@pytest.mark.parametrize(
    "body",
    [
        "tf.log(y_pred) if hasattr(tf, 'log') else tf.math.log(y_pred)",
        "(hasattr(tf, 'log') and tf.log(y_pred))",
        "tf.log(y_pred) if tf.__version__ < '2' else 0.0",
        "tf.log(y_pred) if TF2 else 0.0",
    ],
)
def test_names_that_are_asked_for_first(body: str) -> None:
    assert not drafts("import tensorflow as tf\n" + LOSS.format(body))


def test_names_that_are_tried() -> None:
    tried = "import tensorflow as tf\ntry:\n    log = tf.log\nexcept {}:\n    log = tf.math.log\n" + LOSS.format(
        "log(y_pred)"
    )
    assert not drafts(tried.format("AttributeError"))
    inside = (
        "\ndef loss(y_true, y_pred):\n    try:\n        return tf.log(y_pred)\n    except {}:\n        return y_pred\n"
    )
    assert not drafts("import tensorflow as tf" + inside.format("AttributeError"))
    assert drafts("import tensorflow as tf" + inside.format("KeyError"))


def test_imports_of_which_one_holds() -> None:
    either = "try:\n    import tensorflow.compat.v1 as tf\nexcept ImportError:\n    import tensorflow as tf\n"
    assert not drafts(either + LOSS.format("tf.log(y_pred)"))
    assert drafts(either + LOSS.format("tf.nothing(y_pred)"))


def test_names_that_the_linted_tree_sets(tmp_path: Path) -> None:
    def found() -> list[Any]:
        path = tmp_path / "losses.py"
        source = sources.read(path, str(path))
        module, project = Module(str(path), source.text), Project()
        project.add(module)
        return [d for s in names(module, project, Options()) for d in CHECKS[Names]["LL503"](s)]

    (tmp_path / ".git").mkdir()
    (tmp_path / "losses.py").write_text(
        "import tensorflow as tf\nimport keras\nimport setup_tf\n" + LOSS.format("tf.log(y_pred) + keras.nothing()")
    )
    assert len(found()) == 2
    (tmp_path / "setup_tf.py").write_text("import compat\n")
    (tmp_path / "compat.py").write_text("import tensorflow as tf\ntf.log = tf.math.log\n")
    assert len(found()) == 1
    (tmp_path / "keras.py").write_text("def nothing(): return 0\n")
    assert found() == []


def test_a_file_is_parsed_once_however_many_import_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty losses stand on a chain of sixty modules, more than the project keeps: work must not be their product."""
    (tmp_path / ".git").mkdir()
    for i in range(60):
        (tmp_path / f"m{i}.py").write_text(f"import tensorflow as tf\nimport m{i + 1}\n")
    (tmp_path / "m60.py").write_text("import tensorflow as tf\ntf.log = tf.math.log\n")
    parsed: list[str] = []
    plain = sources.syntax_tree
    monkeypatch.setattr(sources, "syntax_tree", lambda source: parsed.append(source.filename) or plain(source))
    project = Project(keep=20)
    for i in range(40):
        module = Module(
            str(tmp_path / f"loss{i}.py"), "import tensorflow as tf\nimport m0\n" + LOSS.format("tf.log(y_pred)")
        )
        project.add(module)
        project.used = {}
        assert not [d for s in names(module, project, Options()) for d in CHECKS[Names]["LL503"](s)]
        assert {str(tmp_path / f"m{i}.py") for i in range(61)} <= project.used.keys(), "the cache has to know"
    assert len(parsed) < 2 * 61


def test_a_change_is_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "setup_tf.py").write_text("import tensorflow as tf\n")
    path = tmp_path / "losses.py"
    project = Project()

    def found() -> list[Any]:
        text = "import tensorflow as tf\nimport setup_tf\n" + LOSS.format("tf.log(y_pred)")
        module = Module(str(path), text)
        project.add(module)
        return [d for s in names(module, project, Options()) for d in CHECKS[Names]["LL503"](s)]

    assert len(found()) == 1
    project.change(tmp_path / "setup_tf.py", "import tensorflow as tf\ntf.log = tf.math.log\n")
    assert found() == []


def test_what_a_factory_makes_comes_before_the_factory() -> None:
    """The one can be run, the other cannot: the first that says something keeps it."""
    source = "import tensorflow as tf\ndef make_loss():\n    def loss(y_true, y_pred):\n        return tf.log(y_pred)\n    return loss\n"
    assert next(s.name for s in subjects(source)) == "make_loss.<locals>.loss"


def test_no_table_is_read_without_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("losslint.apis.tables.load", lambda: pytest.fail("read"))
    assert drafts("import tensorflow as tf\nx = tf.log(1.0)\n") == []


def test_a_reduction_that_functions_of_keras_do_not_take():
    body = "tf.keras.losses.binary_crossentropy(y_true, y_pred, {keyword})"
    [reduction] = [f for f in short.findings(body.format(keyword='reduction="none"'), ["LL503"])]
    [other] = [f for f in short.findings(body.format(keyword="smoothing=0.1"), ["LL503"])]
    assert "takes a reduction" in reduction.help
    assert "takes a reduction" not in (other.help or "")
