"""Top levels that are run name by name: what binds and reads a name, and what modules look like from outside."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from losslint.confirm.loader import CannotLoad, Loader
from losslint.confirm.stubs import StubUsed
from tests.confirm.test_loader import bundle, make, resolve, untouched, value  # noqa: F401


@pytest.mark.parametrize(
    ("top", "returned", "expected"),
    [
        ("N = 1\nN += 2", "N", 3),
        ("N = 1\nfor i in range(3):\n    N += i", "N", 4),
        ("match [1, 2, 3]:\n    case [first, *rest]:\n        pass", "first, rest", (1, [2, 3])),
        ("match {'a': 1, 'b': 2}:\n    case {'a': _, **rest}:\n        pass", "rest", {"b": 2}),
        ("match 3:\n    case 1 | 2:\n        pass\n    case other if other > 2:\n        pass", "other", 3),
        ("match {'a': 1}:\n    case {'a': x} as whole:\n        M = x", "M, whole", (1, {"a": 1})),
        ("match 2:\n    case 1:\n        M = 'one'\n    case _:\n        M = 'other'\n        1 / 1", "M", "other"),
        ("import functools\nprint = functools.partial(print, end='')", "print.keywords", {"end": ""}),
        ("def g():\n    class C: pass\n    return C\nC = g()\nC.x = 1\ng().y = 2", "C.x", 1),
        ("if True:\n    if __name__ == '__main__':\n        1 / 0\n    M = 1", "M", 1),
        ("if True:\n    for i in range(2):\n        1 / 0\n    M = 1", "M", 1),
        ("try:\n    M = 1 / 0\nexcept ZeroDivisionError as e:\n    M = 2", "M", 2),
        ("with open(__file__) if False else __import__('contextlib').nullcontext(7) as M:\n    pass", "M", 7),
        ("(a, b), *c = (1, 2), 3, 4", "a, b, c", (1, 2, [3, 4])),
        ("import types\nL = {}\nL['a'] = [0]\nL['a'][0] = 5", "L", {"a": [5]}),
    ],
)
def test_what_a_function_reads_has_run(top: str, returned: str, expected: Any) -> None:
    assert value(f"{top}\ndef f():\n    return {returned}\n") == expected


def test_flags_are_defined_before_one_is_read() -> None:
    flags = """
    class _Flags:
        pass
    FLAGS = _Flags()
    def DEFINE_float(name, default, help):
        setattr(FLAGS, name, default)
    """
    text = """
    import flags
    FLAGS = flags.FLAGS
    flags.DEFINE_float("rate", 0.5, "of learning")
    def f():
        return FLAGS.rate
    """
    assert value(text, flags=flags) == 0.5


# -- modules of the tree ---------------------------------------------------------------------------------------------


def test_a_module_can_be_changed_and_looked_into_from_outside() -> None:
    one = "X = 1\ndef get():\n    return X\n1 / 0\n"
    text = "import one\ndef f():\n    one.X = 7\n    return one.get(), sorted(n for n in dir(one) if n[0] != '_')\n"
    assert value(text, one=one) == (7, ["X", "get"])
    with pytest.raises(AttributeError, match="module 'one' has no attribute 'nothing'"):
        value("import one\ndef f(): return one.nothing\n", one=one)


def test_star_imports_of_what_is_installed() -> None:
    assert value("from math import *\ndef f(): return floor(2.5), pi > 3\n") == (2, True)
    with pytest.raises(NameError, match="nothing_of_the_kind"):
        value("from math import *\ndef f(): return nothing_of_the_kind\n")


@pytest.mark.parametrize(
    ("one", "name", "found"),
    [
        ("_hidden = 1\n", "_hidden", False),
        ("__all__ = ['_hidden']\n_hidden = 1\n", "_hidden", True),
        ("__all__ = ['shown']\nshown = 1\nkept_back = 2\n", "shown", True),
    ],
)
def test_star_imports_of_what_is_public(one: str, name: str, found: bool) -> None:
    text = f"from one import *\ndef f():\n    return {name}\n"
    if found:
        assert value(text, one=one) == 1
    else:
        with pytest.raises(NameError, match=name):
            value(text, one=one)


def test_of_two_modules_that_are_missing_the_first_has_the_name() -> None:
    with pytest.raises(StubUsed, match=r"first\.thing, line 4"):
        value("from first import *\nfrom second import *\ndef f():\n    return thing()\n")


def test_a_module_that_imports_everything_from_itself() -> None:
    assert value("from losses import *\nX = 1\ndef f(): return X\n") == 1
    with pytest.raises(NameError, match="missing"):
        value("from losses import *\ndef f(): return missing\n")


def test_modules_of_the_bundle_by_name() -> None:
    loader = Loader(bundle("def f(): pass\n", pkg__one="X = 3\n"))
    assert loader.module("pkg.one").X == 3
    with pytest.raises(CannotLoad, match=r"there is no module pkg\.two in the bundle"):
        loader.module("pkg.two")


def test_functions_of_two_versions_of_a_name() -> None:
    text = """
    def scale(x): return x
    def first(x): return scale(x)
    scale = lambda x: 2 * x
    def f(): return first(1), scale(1)
    """
    assert resolve(textwrap.dedent(text), "f")() == (2, 2)
    assert Loader(bundle(text)).resolve("first", make)(3) == 6
