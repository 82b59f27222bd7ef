"""What other files do with a file's functions."""

from __future__ import annotations

import itertools
import textwrap
from pathlib import Path

import pytest

from losslint import session
from losslint.confirm import plan
from losslint.frontend.elsewhere import uses
from losslint.options import ADDED, BESIDE, COMPILED, METRIC, UNPACKED
from losslint.settings import Resolver

LOSSES = """
    import tensorflow as tf

    def f(y_true, y_pred):
        return tf.square(y_true - y_pred), y_pred

    def g(a, b):
        return tf.reduce_mean(tf.square(a - b), axis=-1)

    def make(alpha):
        def inner(y_true, y_pred):
            return alpha * tf.square(y_true - y_pred)
        return inner
"""


def tree(folder: Path, files: dict[str, str]) -> list[Path]:
    """The files of ``files``, written below ``folder``."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return [folder / name for name in files]


def found(folder: Path, files: dict[str, str]) -> dict[str, set[tuple[str, str]]]:
    """File -> what others do with its functions: (kind, name)."""
    made = uses(((p.name, p) for p in tree(folder, files)), Path.read_bytes)
    return {Path(p).relative_to(folder.resolve()).as_posix(): {(u.kind, u.name) for u in us} for p, us in made.items()}


@pytest.mark.parametrize(
    ("source", "expected"),
    {
        "from losses import f\nmodel.compile('adam', f)": {(COMPILED, "f")},
        "from losses import f as h\nmodel.compile(loss=h)": {(COMPILED, "f")},
        "import losses\nmodel.compile(loss=losses.f)": {(COMPILED, "f")},
        "import losses as l\nmodel.compile(loss=[l.f, 'mse', l.make(0.5)])": {(COMPILED, "f"), (COMPILED, "make")},
        "from losses import f\nchosen = f\nmodel.compile(loss={'a': chosen})": {(COMPILED, "f")},
        "from losses import f, g\nmodel.compile(loss=f if x else g)": {(COMPILED, "f"), (COMPILED, "g")},
        "from losses import f, g\nmodel.compile(loss=f, metrics=[g])": {(COMPILED, "f"), (METRIC, "g")},
        "from losses import *\nmodel.compile(loss=g)": {(COMPILED, "g")},
        "def build():\n    from losses import f\n    model.compile(loss=f)": {(COMPILED, "f")},
        "from losses import g\nlayer.add_loss(g(a, b))": {(ADDED, "g")},
        "from losses import g\nlayer.add_loss(0.1 * g(a, b) + h(a))": {(ADDED, "g")},
        "from losses import g\nlayer.add_loss(tf.reduce_mean(g(a, b)))": set(),
        "from losses import g\nwith tf.GradientTape() as t:\n    v = g(a, b)": {(BESIDE, "g")},
        "from losses import f\nwith tf.GradientTape() as t:\n    v, w = f(a, b)": {(BESIDE, "f"), (UNPACKED, "f")},
        "from losses import g\nv = g(a, b)": set(),
        "from losses import f\nprint(re.compile('x'))": set(),
        "from losses import nothing\nmodel.compile(loss=nothing)": set(),
        "from keras.losses import f\nmodel.compile(loss=f)": set(),
        "f = 1\nmodel.compile(loss=f)": set(),
    }.items(),
)
def test_uses(tmp_path: Path, source: str, expected: set[tuple[str, str]]) -> None:
    assert found(tmp_path, {"losses.py": LOSSES, "train.py": source}).get("losses.py", set()) == expected


@pytest.mark.parametrize(
    "source",
    [
        "from pkg.losses import f\nmodel.compile(loss=f)",
        "from pkg import losses\nmodel.compile(loss=losses.f)",
        "import pkg.losses\nmodel.compile(loss=pkg.losses.f)",
        "import pkg\nmodel.compile(loss=pkg.losses.f)",
        "import pkg\nmodel.compile(loss=pkg.f)",
        "from pkg import renamed\nmodel.compile(loss=renamed)",
        "from pkg.all import f\nmodel.compile(loss=f)",
    ],
)
def test_packages_and_what_they_hand_on(tmp_path: Path, source: str) -> None:
    files = {
        "pkg/__init__.py": "from .losses import f\nfrom .losses import f as renamed\n",
        "pkg/all.py": "from .losses import *\n",
        "pkg/losses.py": LOSSES,
        "scripts/train.py": source,
    }
    assert found(tmp_path, files) == {"pkg/losses.py": {(COMPILED, "f")}}


def test_relative_imports(tmp_path: Path) -> None:
    files = {
        "a/b/train.py": "from ..losses import f\nfrom .more import g as h\nmodel.compile(loss=[f, h])",
        "a/losses.py": LOSSES,
        "a/b/more.py": LOSSES,
    }
    assert found(tmp_path, files) == {"a/losses.py": {(COMPILED, "f")}, "a/b/more.py": {(COMPILED, "g")}}


def test_circles_end(tmp_path: Path) -> None:
    files = {"a.py": "from b import f", "b.py": "from a import f", "c.py": "from a import f\nmodel.compile(loss=f)"}
    assert found(tmp_path, files) == {}


def test_a_tape_in_a_test_tells_nothing_and_compile_does(tmp_path: Path) -> None:
    source = "from losses import f, g\nwith tf.GradientTape() as t:\n    g(a, b)\nmodel.compile(loss=f)"
    assert found(tmp_path, {"losses.py": LOSSES, "test_losses.py": source}) == {"losses.py": {(COMPILED, "f")}}


def test_a_file_that_is_broken_tells_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, {"losses.py": LOSSES, "train.py": "from losses import f\nmodel.compile(loss=f"}) == {}


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    use = "from losses import f\nmodel.compile(loss=f)"
    paths = tree(tmp_path, {"losses.py": LOSSES, "b.py": use, "a.py": use})
    results = [uses(((p.name, p) for p in order), Path.read_bytes) for order in itertools.permutations(paths)]
    assert all(r == results[0] for r in results)
    [[use_of_f]] = results[0].values()
    assert use_of_f.place == "a.py", "the first by name speaks"


def said(folder: Path, *names: str, jobs: int = 1) -> dict[str, list[tuple[str, str, str]]]:
    """File -> function, code and consumer of what is found where ``names`` are linted, at warning or worse."""
    result = session.check([str(folder / name) for name in names], Resolver(isolated=True), jobs=jobs)
    made: dict[str, list[tuple[str, str, str]]] = {}
    for f in result.findings:
        made.setdefault(Path(f.filename).name, []).append((f.function, f.code, f.consumer or ""))
    return made


def test_a_function_is_a_proven_loss_in_its_own_file(tmp_path: Path) -> None:
    source = "import tensorflow as tf\n\ndef f(a, b):\n    return tf.square(a - b), b\n"
    tree(tmp_path, {"functions.py": source, "train.py": "from functions import f\nmodel.compile(loss=f)\n"})
    alone, both = said(tmp_path, "functions.py"), said(tmp_path, "functions.py", "train.py")
    assert alone == {}, "nothing calls f a loss"
    assert both == {"functions.py": [("f", "LL102", "keras")]}
    assert said(tmp_path, "train.py", "functions.py") == said(tmp_path, "", jobs=2) == both


def test_a_run_finds_the_same_losses_again(tmp_path: Path) -> None:
    source = "import tensorflow as tf\n\ndef f(a, b):\n    return tf.reduce_sum(tf.square(a - b))\n"
    use = "from functions import f\nmodel.compile(loss=f)\nmodel.fit(x, y, sample_weight=w)\n"
    tree(tmp_path, {"functions.py": source, "train.py": use})
    result = session.check([str(tmp_path)], Resolver(isolated=True))
    [planned] = plan.for_findings(result.findings, Resolver(isolated=True))
    assert (planned.name, planned.job.consumer) == ("f", "keras")
    assert {claim.code for claim in planned.job.claims} == {f.code for f in result.findings}


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("a = [" + "a, " * 100 + "f]\nm.compile(loss=a)\n", COMPILED),
        ("a = [b, b]\nb = [a, a, f]\n" * 500 + "m.compile(loss=a)\n", COMPILED),
        ("m.compile(loss=" + "f if c else " * 1_200 + "f)\n", COMPILED),
        ("m.add_loss(" + " + ".join(["f(a, b)"] * 1_500) + ")\n", ADDED),
    ],
    ids=["fan", "cycle", "conditional", "sum"],
)
def test_what_asks_for_endless_work_is_read_in_time(tmp_path: Path, call: str, kind: str) -> None:
    files = {"losses.py": LOSSES, "train.py": "from losses import f\n" + call}
    found = uses([(p.name, p) for p in tree(tmp_path, files)], Path.read_bytes)
    assert {u.kind for u in found[str((tmp_path / "losses.py").resolve())] if u.name == "f"} == {kind}


def test_files_that_import_everything_of_each_other(tmp_path: Path) -> None:
    """25 such files have 25 ** 6 ways through them, and each is looked into once."""
    stars = "".join(f"from m{i} import *\n" for i in range(25))
    files = {f"m{i}.py": stars for i in range(25)}
    files |= {"losses.py": LOSSES, "m7.py": stars + "from losses import g\n"}
    files |= {"train.py": stars + "model.compile(loss=[g, nowhere])\n"}
    assert found(tmp_path, files) == {"losses.py": {(COMPILED, "g")}}


def test_of_two_star_imports_the_last_one_wins(tmp_path: Path) -> None:
    own = "def g(y_true, y_pred):\n    return y_pred\n"
    files = {"a.py": own, "b.py": own, "train.py": "from a import *\nfrom b import *\nmodel.compile(loss=g)\n"}
    assert found(tmp_path, files) == {"b.py": {(COMPILED, "g")}}
