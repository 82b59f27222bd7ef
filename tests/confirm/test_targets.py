"""How functions are reached that no name at the top level holds: through factories, instances and metaclasses."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from losslint.confirm.loader import CannotLoad, Loader
from losslint.confirm.targets import arguments, written
from tests.confirm.test_loader import bundle, make, untouched  # noqa: F401


def loaded(text: str, target: str) -> tuple[Loader, Any]:
    loader = Loader(bundle(text))
    return loader, loader.resolve(target, make)


@pytest.mark.parametrize(
    ("condition", "assumed"),
    [
        ("flag", "made(flag=True) makes loss"),
        ("not flag", "made(flag=False) makes loss"),
        ("flag == 'on'", "made(flag='on') makes loss"),
        ("flag in ('a', None)", "made(flag='a') makes loss"),
    ],
)
def test_a_factory_is_called_until_it_makes_the_function(condition: str, assumed: str) -> None:
    default = "True" if condition.startswith("not") else "False" if condition == "flag" else "''"
    text = f"""
    def made(flag={default}):
        if {condition}:
            def loss(y, p): return flag
            return loss
        return None
    """
    loader, loss = loaded(text, "made.<locals>.loss")
    assert assumed == f"made(flag={loss(1, 2)!r}) makes loss"
    assert loader.assumed == [assumed] and loader.recipe == assumed.partition(" ")[0]


def test_a_choice_in_an_expression_is_tried_as_well() -> None:
    text = """
    def made(alternative=False):
        def first(y, p): return 1
        second = (lambda y, p: 2) if alternative else None
        return second or first
    """
    assert loaded(text, "made.<locals>.second")[1](1, 2) == 2


def test_only_what_the_factory_of_that_name_holds_counts() -> None:
    text = """
    def other():
        def loss(y, p): return "another one"
        return loss
    def made():
        kept = other()
        def loss(y, p): return "this one"
        return kept
    """
    loader, loss = loaded(text, "made.<locals>.loss")
    assert loss(1, 2) == "this one" and loader.recipe == "", "made() returns another one"


def test_what_a_factory_returns_may_be_made_elsewhere() -> None:
    text = """
    import functools
    def base(y, p): return y + p
    def made():
        result = functools.partial(base)
        result.__name__ = "loss"
        return result
    """
    loader, loss = loaded(text, "made.<locals>.loss")
    assert loss(1, 2) == 3 and loader.recipe == "made()"


def test_a_factory_that_leaves_the_program() -> None:
    text = """
    import sys
    def made(kind):
        def loss(y, p): return kind
        sys.exit(1)
    """
    assert loaded(text, "made.<locals>.loss")[1](1, 2) == 0.5


@pytest.mark.parametrize("bound", ["3", "None"])
def test_a_factory_that_is_none(bound: str) -> None:
    with pytest.raises(CannotLoad, match=r"what makes loss is no function but a (int|NoneType)"):
        loaded(f"def made():\n    def loss(): pass\nmade = {bound}\n", "made.<locals>.loss")


def test_a_method_of_what_stands_at_the_top_level() -> None:
    text = """
    class C:
        def __init__(self, n): self.n = n
        def call(self, y, p): return self.n
    one = C(7)
    """
    loader, call = loaded(text, "one.call")
    assert call(1, 2) == 7 and loader.recipe == "one.call"


def test_what_a_metaclass_has_taken_away_is_as_it_is_written() -> None:
    text = """
    class Overloads(type):
        def __new__(meta, name, bases, members):
            kept = {k: v for k, v in members.items() if k != "call"}
            return super().__new__(meta, name, bases, kept)
    class C(metaclass=Overloads):
        @staticmethod
        def call(self, y, p): return y - p
    """
    loader, call = loaded(text, "C.call")
    assert call(3, 2) == 1 and loader.assumed == ["C.call is what line 8 defines"]


def test_arguments_by_position_only_and_any_number() -> None:
    def function(a: object, /, b: object, *rest: object, c: object = 1, **more: object) -> None: ...

    assert arguments(function, [], make, None, {}) == ([0.5], {"b": 0.5})
    assert arguments(function, [], make, None, {"c": 2}) == ([0.5], {"b": 0.5, "c": 2})
    assert arguments(type, [], make, None, {}) == ([], {}), "nothing tells what it takes"


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        ([1, "a"], {"b": None}, "1, 'a', b=None"),
        ([], {}, ""),
        ([object()], {}, "?"),
        ([float("nan")], {}, "?"),
        ([], {"a": float("inf")}, "?"),
    ],
)
def test_only_literals_are_written(args: list[Any], kwargs: dict[str, Any], expected: str) -> None:
    assert written(args, kwargs) == expected


# -- objects whose constructor cannot be called ----------------------------------------------------------------------


def test_a_class_whose_bare_instance_fails_as_well() -> None:
    text = """
    import abc
    class C(abc.ABC):
        def __init__(self, no_way): self.scale = 2
        def __new__(cls, *args):
            if not args:
                raise RuntimeError("never")
            return super().__new__(cls)
        @abc.abstractmethod
        def other(self): ...
        def call(self, y, p): return self.scale * p
    """
    loader, call = loaded(text, "C.call")
    assert call(1, 4) == 8
    assert loader.assumed[-1] == "self.scale is what line 4 sets"


def test_what_a_class_computes_for_attributes_it_does_not_have() -> None:
    text = """
    class C:
        def __init__(self, no_way): self.scale = 2
        def __getattr__(self, name): return f"<{name}>"
        def call(self, y, p): return self.scale, self.nothing
    """
    assert loaded(text, "C.call")[1](1, 2) == (2, "<nothing>")


def test_the_reduction_of_keras_2() -> None:
    text = textwrap.dedent("""
    class C:
        def __init__(self, scale, reduction="auto"):
            if reduction == "auto":
                raise ValueError("Invalid value for argument reduction. Received: reduction=auto")
            self.scale, self.reduction = scale, reduction
        def call(self, y, p): return self.scale, self.reduction
    """)
    loader, call = loaded(text, "C.call")
    assert call(1, 2) == (0.5, "sum_over_batch_size")
    assert loader.assumed == ["C(reduction='auto') ran as 'sum_over_batch_size'"]
    loader, call = loaded(text.replace("argument reduction. Received: reduction=auto", "scale"), "C.call")
    assert loader.assumed[0].startswith("C(...) fails (ValueError: Invalid value for scale")
