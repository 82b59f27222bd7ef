"""Lazy loading: what runs, what does not, and which functions are found."""

from __future__ import annotations

import inspect
import linecache
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from losslint.confirm.jobs import Bundle, File
from losslint.confirm.loader import CannotLoad, Loader
from losslint.confirm.stubs import Stub, StubUsed
from tests.confirm.forked import Forked, server


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A loader puts its modules where Python looks for them."""
    monkeypatch.setattr(sys, "argv", sys.argv)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if hasattr(sys.modules[name], "losslint_scope"):
            del sys.modules[name]


def bundle(text: str, **others: str) -> Bundle:
    files = {"losses": File("losses", "/nowhere/losses.py", textwrap.dedent(text))}
    for name, other in others.items():
        dotted = name.replace("__", ".").removesuffix(".init")
        path = f"/nowhere/{dotted.replace('.', '/')}{'/__init__' if name.endswith('__init') else ''}.py"
        files[dotted] = File(dotted, path, textwrap.dedent(other), name.endswith("__init"))
    return Bundle("losses", files)


def make(name: str, parameter: inspect.Parameter, owner: Any) -> Any:
    if name.startswith("no_"):
        raise LookupError("nothing fits")
    return 0.5


def resolve(text: str, target: str, **others: str) -> Callable[..., Any]:
    return Loader(bundle(text, **others)).resolve(target, make)


def value(text: str, **others: str) -> Any:
    """What ``f()`` returns."""
    return resolve(text, "f", **others)()


def test_only_what_is_needed_runs() -> None:
    loader = Loader(
        bundle(
            """
            import shutil
            A = 1
            print(1 / 0)
            shutil.rmtree("/")
            B = 1 / 0
            def g():
                return A
            def f():
                return g() + 1
            if __name__ == "__main__":
                f = None
            """
        )
    )
    assert loader.resolve("f", make)() == 2
    assert [(e.first, e.text) for e in loader.executed] == [
        (9, "def f():\n    return g() + 1"),
        (7, "def g():\n    return A"),
        (3, "A = 1"),
    ]
    assert {e.path for e in loader.executed} == {"/nowhere/losses.py"}


def test_statements_see_what_python_shows_them() -> None:
    text = """
    x = 1
    y = x + 1
    x = 5
    x += 2
    def f():
        return x, y, x
    """
    assert value(text) == (7, 2, 7)
    assert value(text.replace("x, y, x", "y, x")) == (2, 7)


def test_what_is_replaced_does_not_run() -> None:
    text = """
    x: int
    x = 1 / 0
    x = 2
    x += 1
    def g(): return 1 / 0
    g = g()
    def g(): return x
    def f(): return g()
    """
    assert value(text) == 3


def test_mutations() -> None:
    text = """
    table = {}
    table["a"] = 1
    table.update(b=2)
    table.setdefault("c", []).append(3)
    table.pop_everything()
    class Config: pass
    Config.x = 4
    items = []
    for i in range(3):
        print(1 / 0)
        items.append(i)
    def f():
        return table, Config.x, items
    """
    assert value(text.replace('    table.setdefault("c", []).append(3)\n', "")) == ({"a": 1, "b": 2}, 4, [0, 1, 2])


def test_branches_and_handlers() -> None:
    text = """
    try:
        import no_such_package as xp
        HAS = True
    except ImportError:
        xp = None
        HAS = False
    if HAS:
        A = 1
    elif not HAS:
        B = 2
        A = B + 1
        raise ValueError
    try:
        unicode
    except NameError:
        unicode = str
    with open("/dev/null") as file:
        text = file.read()
    def f():
        return HAS, xp, A, unicode, text
    """
    assert value(text) == (False, None, 3, str, "")


def test_class_bodies_read_lazy_globals() -> None:
    text = """
    EPS = 0.25
    def helper(): return EPS
    def deco(f): return f
    class Base:
        eps = EPS
        half = helper() / 2
        class Inner:
            deep = EPS
        @deco
        def m(self, e=EPS): return e, self.half, len("ab")
    class Loss(Base):
        '''Doc.'''
        kind = [EPS for _ in range(2)]
    def f():
        k = 3
        class Local:
            a = EPS + k
        return Loss().m(), Loss.kind, Local.a, Loss.Inner.deep, Loss.__doc__
    """
    assert value(text) == ((0.25, 0.125, 2), [0.25, 0.25], 3.25, 0.25, "Doc.")


def test_imports_in_the_bundle() -> None:
    files = {
        "pkg__init": "from .losses import *\nfrom . import extra\nNAME = 'pkg'\n",
        "pkg__losses": "import math\n__all__ = ['dice']\nhidden = 1\ndef dice(): return math.sqrt(4)\n",
        "pkg__extra": "from . import NAME\nfrom .losses import hidden as h\nvalue = NAME + str(h)\n1 / 0\n",
        "space__deep": "X = 9\n",
    }
    text = """
    import os.path, pkg.losses
    import pkg.losses as L
    import space.deep as D
    from pkg import dice, extra as e
    def f():
        import space.deep
        from pkg.extra import value
        return dice(), e.value, value, L.dice(), pkg.losses.hidden, D.X, space.deep.X, os.path.sep
    """
    assert value(text, **files) == (2.0, "pkg1", "pkg1", 2.0, 1, 9, 9, "/")


def test_star_imports() -> None:
    files = {"one": "A = 1\n_B = 2\nlen = None\n", "two": "A = 3\nC = 4\n"}
    assert value("from one import *\nfrom two import *\ndef f(): return A, C, len('ab')\n", **files) == (3, 4, 2)


def test_the_last_import_of_a_name_wins() -> None:
    files = {"one": "A = 1\n", "two": "A = 2\nimport math as m\n", "three": "B = None\n"}
    assert value("from one import A\nfrom two import *\ndef f(): return A\n", **files) == 2
    assert value("from one import *\nfrom two import A\ndef f(): return A\n", **files) == 2
    assert value("from one import A\nfrom three import *\ndef f(): return A, B\n", **files) == (1, None)
    assert value("from one import A\nfrom absent import *\ndef f(): return A\n", **files) == 1
    assert value("A = 5\nfrom two import *\ndef f(): return A\n", **files) == 5  # as nobody means it


def test_stubs_are_named_when_used() -> None:
    loader = Loader(
        bundle(
            """
            import cv2
            from tqdm import tqdm
            def f(x):
                if cv2 is None or isinstance(x, cv2.Mat):
                    return 0
                try:
                    return cv2.resize(x)
                except Exception:
                    return 1
            def g():
                return [x for x in tqdm]
            """
        )
    )
    assert loader.resolve("f", make)(1) == 1
    assert loader.used_stubs == ["cv2.resize, line 8"]
    with pytest.raises(StubUsed, match=r"tqdm\.tqdm, line 12"):
        loader.resolve("g", make)()


@pytest.mark.parametrize("use", ["x + 1", "1 - x", "x[0]", "bool(x)", "list(x)", "float(x)", "x < 1", "-x", "x()"])
def test_uses_of_a_stub(use: str) -> None:
    with pytest.raises(StubUsed, match=r"torch\.x, line 3"):
        value(f"from torch import x\ndef f():\n    return {use}\n")


def test_stubs_as_decorators_and_bases() -> None:
    loader = Loader(
        bundle(
            """
            import gin, numba, strange
            from typeguard import typechecked
            @gin.configurable("loss", module="m")
            @typechecked
            def f(x): return x
            @strange.changed
            def g(x): return x
            class C(strange.Base):
                def __init__(self, a):
                    super().__init__(a, b=1)
                    self.a = a
                def m(self): return self.a
            """
        )
    )
    assert loader.resolve("f", make)(3) == 3 and loader.resolve("g", make)(4) == 4
    assert loader.resolve("C.m", make)() == 0.5
    assert loader.left_out == ["the decorator gin.configurable, line 4", "the decorator typeguard.typechecked, line 5"]
    assert loader.used_stubs == ["the decorator strange.changed, line 7", "the base class strange.Base, line 9"]


def test_arguments_of_the_program() -> None:
    text = """
    import argparse, sys
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float, default=0.25)
    parser.parse_known_args()
    args = parser.parse_args()
    def f(): return args.alpha, len(sys.argv)
    """
    assert value(text) == (0.25, 1)
    with pytest.raises(CannotLoad, match=r"the code leaves the program, line 6"):
        resolve(
            text.replace("default=0.25", "required=True").replace("def f(): return", "class C:\n        b ="), "C.b"
        )


def test_sources_and_tracebacks_are_the_users() -> None:
    text = "A = 1\n\n\ndef f(x):\n    return A / x\n"
    loader = Loader(bundle(text))
    function = loader.resolve("f", make)
    assert inspect.getsource(function) == "def f(x):\n    return A / x\n"
    assert linecache.getline("/nowhere/losses.py", 5) == "    return A / x\n"
    with pytest.raises(ZeroDivisionError) as caught:
        function(0)
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno, frame.line) == ("/nowhere/losses.py", 5, "return A / x")
    assert function.__module__ == "losses" and loader.main.f is function


FACTORIES = """
def made(alpha, beta=2, kind="none"):
    if kind == "a":
        def loss(y, p): return alpha, beta, "a"
    elif kind in ("b", "c"):
        def loss(y, p): return kind
    def always(y, p): return alpha * beta
    def failing(y, p): return "caught"
    if kind == "none":
        return always
    return loss

def required(kind):
    if kind == "mse":
        def loss(y, p): return kind
        return loss

def broken():
    def loss(y, p): return 7
    raise RuntimeError("later")

def outer(n):
    class C:
        def __init__(self, m): self.m = m
        def call(self): return n, self.m
        @staticmethod
        def s(): return "s"
    return C(1)

class Trainer:
    def __init__(self, no_way): pass
    def step(self):
        def loss(): return self.rate
        return loss
    rate = 3
"""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("made.<locals>.always", 1.0),
        ("made.<locals>.failing", "caught"),
        ("made.<locals>.loss", (0.5, 2, "a")),
        ("required.<locals>.loss", "mse"),
        ("broken.<locals>.loss", 7),
    ],
)
def test_factories(target: str, expected: Any) -> None:
    assert resolve(FACTORIES, target)(1, 2) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [("outer.<locals>.C.call", (0.5, 0.5)), ("outer.<locals>.C.s", "s"), ("Trainer.step.<locals>.loss", 3)],
)
def test_factories_of_methods(target: str, expected: Any) -> None:
    assert resolve(FACTORIES, target)() == expected


def test_methods() -> None:
    text = """
    import functools
    class Base:
        def inherited(self): return self.scale
    class C(Base):
        def __init__(self, scale, power=2):
            self.scale, self.power = scale, power
        def call(self, x): return x * self.scale ** self.power
        @staticmethod
        def s(x): return x
        @classmethod
        def c(cls, x): return cls.__name__, x
        @property
        def p(self): return self.scale
        @functools.lru_cache
        def cached(self): return self.power
    """
    loader = Loader(bundle(text))
    assert loader.resolve("C.call", make)(8) == 2.0
    assert loader.instance.power == 2
    assert loader.resolve("C.s", make)(1) == 1
    assert loader.resolve("C.c", make)(1) == ("C", 1)
    assert loader.resolve("C.p", make)() == 0.5
    assert loader.resolve("C.cached", make)() == 2
    assert loader.resolve("C.inherited", make)() == 0.5
    assert loader.assumed == []


def test_what_a_failing_constructor_sets_is_computed_on_demand() -> None:
    text = """
    import cv2
    class C:
        def __init__(self, no_model, alpha=3):
            beta = alpha * 2
            self.image = cv2.imread("x")
            self.alpha = alpha
            self.__beta = beta + self.alpha
            self.model = no_model
        def call(self): return self.__beta, self.gamma
        def build(self): self.gamma = 1
        def other(self): return self.model
        def third(self): return self.nowhere
    """
    loader = Loader(bundle(text))
    assert loader.resolve("C.call", make)() == (9, 1)
    assert loader.assumed[0].startswith("C(...) fails (CannotLoad: the argument no_model of C cannot be made up")
    assert loader.assumed[1:3] == ["self.__beta is what line 8 sets", "self.gamma is what line 11 sets"]
    with pytest.raises(CannotLoad, match=r"self.model cannot be computed: the argument no_model"):
        loader.resolve("C.other", make)()
    with pytest.raises(AttributeError, match="nowhere"):
        loader.resolve("C.third", make)()


@pytest.mark.parametrize(
    ("text", "target", "reason"),
    [
        ("def g(): pass", "f", "nothing at the top level binds f"),
        ("import cv2\nX = cv2.imread('x')\nclass C:\n    f = X\n", "C.f", r"C.f needs cv2.imread, line 2"),
        ("def d(f):\n    return f.x\n@d\ndef f(): pass", "f", r"AttributeError: .*, line 2"),
        ("class C:\n    pass", "C.f", "C has no f"),
        ("f = 3", "f", "f is no function but a int"),
        ("def g(no_a):\n    def f(): pass", "g.<locals>.f", "the argument no_a of g cannot be made up: nothing fits"),
        ("def g(x):\n    return x.y\n", "g.<locals>.f", r"g\(...\) makes no f, it raises AttributeError: .*, line 2"),
        ("import os\nA = os.environ['no such']\nclass C:\n    f = A", "C.f", "line 2: KeyError: 'no such'"),
    ],
)
def test_what_cannot_be_loaded_says_why(text: str, target: str, reason: str) -> None:
    with pytest.raises(CannotLoad, match=reason) as caught:
        resolve(text, target)
    assert "\n" not in str(caught.value)


def test_missing_modules_of_the_tree() -> None:
    text = "from . import gone\nfrom .one import x\nfrom one import missing\ndef f():\n    return gone, x, missing\n"
    loader = Loader(bundle(text, one="x = 1\n"))
    with pytest.raises(ImportError, match="cannot import name 'missing'"):
        loader.resolve("f", make)()
    assert isinstance(loader.main.gone, Stub)


# -- with TensorFlow -------------------------------------------------------------------------------------------------

SETUP = """
import sys
sys.path.insert(0, {root!r})
from tests.confirm.test_loader import bundle, make
from losslint.confirm.loader import Loader, CannotLoad
import tensorflow as tf, numpy as np
loader = Loader(bundle({text!r}, **{others!r}))
"""


@pytest.fixture(scope="module")
def forked() -> Iterator[Forked]:
    with server() as run:
        yield run


def snippet(text: str, code: str, **others: str) -> str:
    import losslint

    root = losslint.__file__.rsplit("/", 2)[0]
    return SETUP.format(root=root, text=textwrap.dedent(text), others=others) + textwrap.dedent(code)


@pytest.mark.tf
def test_autograph(forked: Forked) -> None:
    text = """
    import tensorflow as tf
    LIMIT = tf.constant(3.0)
    table = {"a": 1.0}
    def helper(x):
        if tf.reduce_sum(x) > LIMIT:
            return x * table["a"]
        return -x
    @tf.function
    def f(x):
        total = 0.0
        for i in tf.range(3):
            total += tf.reduce_sum(helper(x))
        return total
    """
    code = """
    f = loader.resolve("f", make)
    g = tf.function(loader.resolve("helper", make), autograph=True)
    first = [float(f(tf.constant([4.0]))), float(f(tf.constant([1.0])))]
    graph = g.get_concrete_function(tf.TensorSpec([None])).graph
    rows = {frame.lineno for op in graph.get_operations() for frame in op.traceback if frame.filename == "/nowhere/losses.py"}
    result = first + [type(f).__name__, sorted(rows), float(g(tf.constant([5.0]))[0]), float(loader.main.LIMIT)]
    """
    first, second, kind, rows, third, limit = forked(snippet(text, code))
    assert (first, second, third, limit) == (12.0, -3.0, 5.0, 3.0)
    assert kind == "Function" and 6 in rows


@pytest.mark.tf
def test_old_names(forked: Forked) -> None:
    text = """
    import keras.backend as K
    import tensorflow as tf
    import numpy as np
    from keras.utils.generic_utils import get_custom_objects
    from keras.layers.core import Lambda
    from keras.engine.topology import Layer
    from keras.objectives import mean_squared_error
    from keras.losses import kullback_leibler_divergence
    from tensorflow.contrib import slim
    def f(x):
        return K.mean(tf.log(x)) + tf.reduce_sum(x, keep_dims=True)[0] + tf.div_no_nan(x[0], 2.0) + K.epsilon() * np.float(1)
    def g(): return get_custom_objects, Lambda, Layer, mean_squared_error, kullback_leibler_divergence
    def h(): return slim.conv2d()
    """
    code = """
    f = loader.resolve("f", make)
    value = float(f(tf.constant([1.0, 1.0])))
    named = [o.__name__ for o in loader.resolve("g", make)()]
    try:
        loader.resolve("h", make)()
    except Exception as error:
        failed = str(error)
    result = [value, named, failed, loader.shims]
    """
    value, named, failed, shims = forked(snippet(text, code))
    assert value == pytest.approx(2.5, abs=1e-4)
    assert named[1:3] == ["Lambda", "Layer"]
    assert failed == "tensorflow.contrib.slim.conv2d, line 14"
    assert {
        "keras.backend.mean ran as tf.keras.backend.mean",
        "tf.log ran as tf.compat.v1.log",
        "tf.reduce_sum ran as tf.compat.v1.reduce_sum",
        "keras.objectives ran as keras.losses",
        "keras.layers.core ran as keras.layers",
        "numpy.float ran as numpy.float64",
    } <= set(shims)


@pytest.mark.tf
def test_keras_classes(forked: Forked) -> None:
    text = """
    import keras
    import tensorflow as tf
    RATE = 0.5
    @keras.saving.register_keras_serializable()
    class L(keras.losses.Loss):
        def __init__(self, gamma, name="l", **kwargs):
            super().__init__(name=name, **kwargs)
            self.gamma = gamma
        def call(self, y_true, y_pred):
            return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) * self.gamma * RATE
    class Old(L):
        def __init__(self, reduction="auto"):
            super().__init__(2.0, reduction=reduction)
            self.scale = 3.0
        def call(self, y_true, y_pred):
            return super().call(y_true, y_pred) * self.scale
    class Net(keras.Model):
        def __init__(self, no_backbone):
            super().__init__()
            self.backbone = no_backbone
            self.dense = keras.layers.Dense(3)
        def loss(self, x):
            return tf.reduce_mean(self.dense(x))
    """
    code = """
    y, p = np.zeros((2, 3), "float32"), np.ones((2, 3), "float32")
    result = [loader.resolve(t, make)(y, p).numpy().tolist() for t in ("L.call", "Old.call")]
    result += [loader.resolve("Net.loss", make)(p).shape.rank, loader.assumed]
    """
    first, second, rank, assumed = forked(snippet(text, code))
    assert first == [0.25, 0.25] and second == [3.0, 3.0] and rank == 0
    assert assumed[0] == "Old(reduction='auto') ran as 'sum_over_batch_size'"
    assert [a.split(" ")[0] for a in assumed[1:]] == ["Net(...)", "self.dense"]


@pytest.mark.tf
def test_keras_2() -> None:
    pytest.importorskip("tf_keras")
    text = """
    import keras
    import keras.backend as K
    from keras.engine.topology import Layer
    import tensorflow as tf
    class L(keras.losses.Loss):
        def call(self, y, p): return K.mean(tf.log(p) * y)
    def f(): return Layer.__module__.split(".")[0]
    """
    code = """
    loss = loader.resolve("L.call", make)(tf.ones([2, 3]), tf.ones([2, 3]))
    result = [float(loss), loader.resolve("f", make)(), loader.shims]
    """
    with server(TF_USE_LEGACY_KERAS="1") as run:
        loss, package, shims = run(snippet(text, code))
    assert (loss, package) == (0.0, "tf_keras")
    assert "keras ran as tf_keras" in shims


@pytest.mark.tf
def test_flags(forked: Forked) -> None:
    text = """
    import tensorflow as tf
    from absl import flags as aflags
    flags = tf.app.flags
    flags.DEFINE_float("alpha", 0.5, "")
    FLAGS = flags.FLAGS
    aflags.DEFINE_float("beta", 0.25, "")
    AFLAGS = aflags.FLAGS
    def f(): return FLAGS.alpha + AFLAGS.beta
    """
    assert forked(snippet(text, "result = loader.resolve('f', make)()")) == 0.75
