"""What the interpreter computes of plain Python, against Python itself: the same number, or none."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import operator
import textwrap
from typing import Any

import numpy as np
import pytest

from losslint.ops.linear import constant
from tests.traced import traced

MODULES: dict[str, Any] = {
    "collections": collections, "functools": functools, "itertools": itertools, "math": math, "np": np,
    "operator": operator,
}  # fmt: skip
HEADER = "import collections, functools, itertools, math, operator\nimport numpy as np\nimport tensorflow as tf\n"

COMPUTED = """
    math.prod([2, 3])
    operator.add(1, 2)
    operator.itemgetter(1)([5, 6])
    functools.reduce(operator.mul, [2, 3, 4])
    functools.partial(max, 3)(2)
    sum(itertools.chain([1], [2, 3]))
    sum(itertools.chain.from_iterable([[1, 2], [3]]))
    len(list(itertools.product([1, 2], [3, 4])))
    len(list(itertools.combinations([1, 2, 3], 2)))
    sum(itertools.repeat(2, 3))
    max(1, 2) - min([3, 4])
    abs(-3) + round(2.6)
    sum(i * j for i, j in zip([1, 2], [3, 4]))
    sorted([3, 1, 2])[0]
    list(reversed([1, 2, 3]))[0]
    dict(a=1, b=2)["b"] + dict(zip("ab", [1, 2])).get("c", 7)
    len({1, 2, 2}) + len(set()) + len(frozenset()) + len(list()) + len(tuple()) + len(dict())
    sum(map(lambda v: v * 2, [1, 2]))
    len(list(filter(lambda v: v > 1, [1, 2])))
    any([False, True]) + all([True])
    int("7") + float("1.5") + pow(2, 5)
    isinstance(1.0, float) * 1.0
    "abc".index("c") + "a,b".split(",").index("b")
    [1, 2].index(2) + [1, 1].count(1)
    {**{"a": 1}, "b": 2}["a"] + [*[1, 2], 3][2]
    (lambda a, *b, c=3: a + len(b) + c)(1, 2, 2)
    tuple(range(3))[-1] + list(enumerate("ab", 1))[1][0]
    math.sqrt(4.0) + math.log(1.0) + math.floor(2.5)
    collections.namedtuple("Pair", "a b")(1.0, 2.0)._replace(b=5.0).b
    sum(collections.namedtuple("Pair", ["a", "b"])(1.0, 2.0))
    collections.namedtuple("Pair", "a b")(1.0, 2.0)._asdict()["b"]
    collections.namedtuple("Pair", "a b", defaults=[4.0])(1.0).b
    sum(a + b for a, b in itertools.permutations([1, 2, 3], 2))
    1 if 2 in [1, 2] and not 3 in (1, 2) else 7
    (1 < 2 < 3) + (3 > 2 >= 2)
    (7 // 2) % 2 + 2 ** 3 ** 1
    (0 or 4) + (3 and 5)
    [v for row in [[1, 2], [3]] for v in row if v > 1][1]
    {k: v for k, v in zip("ab", [3, 4])}["b"]
    len([i for i in range(10) if i % 3 == 0])
    len([1] + [2, 3]) * 10 + ([1, 2] * 2)[3] + len((1,) + (2, 3))
"""
"""Of these the number is known."""

UNSAID = """
    [a * b for a, b in itertools.product(range(20), range(20))][-1]
    divmod(7, 2)[1]
    ~5
    len(str(12))
    slice(1, 2).start
    ord("a")
    len("x" * 3)
    int("seven") if False else 1
    max([1, 2], key=lambda v: -v)
    sorted(["b", "a"], reverse=True).index("a")
    sum([[1], [2]], []).index(2)
    len(bytes(3))
    round(2.567, 1)
    issubclass(bool, int) + callable(len)
    len(next(iter([[1, 2]])))
    type(3)(2.5)
    len(list(itertools.islice([1, 2, 3], 2)))
    operator.truediv(1, 2)
    len(sorted({"b": 1, "a": 2}))
"""
"""Of these it may be unknown."""

PROGRAMS = """
    total: int = 3
    return total

    try:
        total = 1
    except ValueError:
        total = 2
    else:
        total = 3
    finally:
        total = total + 10
    return total

    try:
        raise ValueError
    except ValueError:
        return 2.0
    return 3.0

    def inner():
        nonlocal total
        total = total + 4
    total = 1
    inner()
    return total

    total = 0
    for i in range(5):
        if i == 1:
            continue
        if i == 4:
            break
        total += i
    else:
        total = 100
    return total

    total = 0
    while total < 3:
        total += 1
    else:
        total += 10
    return total

    total = 0
    for i in range(5):
        if i == 2:
            break
        total += i
    return total

    total = 0
    for i in range(3):
        for j in range(3):
            if j == 1:
                break
            total += 10
        else:
            total += 100
        if i == 1:
            continue
        total += 1
    else:
        total += 1000
    return total

    for i in range(3):
        if i == 1:
            return 7
    return 8

    table = {"a": 1, "b": 2}
    taken = table.pop("a")
    return len(table) + taken + table.pop("z", 5) + len(set([1, 1, 2])) + len(frozenset([3, 3]))

    first, *rest = [1, 2, 3]
    (a, b), c = (4, 5), 6
    return first + len(rest) + a * b - c

    rows = [[1, 2], [3, 4]]
    rows[0][1] = 7
    rows.append([5])
    rows.extend([[6], [8]])
    return rows[0][1] + len(rows) + rows.pop()[0]

    table = {"a": 1}
    table["b"] = 2
    table.update(c=3)
    table.setdefault("d", 4)
    return sum(table.values()) + len(table.keys()) + [k for k, v in table.items() if v == 3].index("c")

    class Point:
        scale = 2

        def __init__(self, x):
            self.x = x

        def __add__(self, other):
            return Point(self.x + other.x)

        def __call__(self, y):
            return self.x * y

        @property
        def double(self):
            return self.scale * self.x

        @staticmethod
        def zero():
            return Point(0)

    return (Point(1) + Point(2))(5) + Point(3).double + Point.zero().x

    class Base:
        def value(self):
            return 1

    class Derived(Base):
        def value(self):
            return super().value() + 1

    return Derived().value() + isinstance(Derived(), Base)

    def generator(n, *args, scale=1, **more):
        return n * scale + sum(args) + more.get("extra", 0)

    return generator(1, 2, 3, scale=4, extra=5) + generator(*[1], **{"scale": 2})

    if (n := len([1, 2, 3])) > 2:
        return n
    return 0

    assert True
    import math as m
    from math import floor
    del m
    pass
    return floor(1.5)

    total = 5
    total -= 1
    total *= 3
    total //= 2
    total **= 2
    total %= 10
    return total

    global COUNT
    COUNT = 3
    return COUNT

    match 3:
        case 3:
            return 1
        case _:
            return 2
"""


def told(body: str) -> float | None:
    """What is known of the number that a function with this body returns."""
    program = f"def number():\n{textwrap.indent(body, '    ')}\n\n\ndef my_loss(y_true, y_pred):\n"
    loss = traced(f"{program}    return y_pred * number()\n", header=HEADER)
    assert loss.value.op == "mul", loss.value  # type: ignore[union-attr]
    return constant(loss.value.inputs[1])  # type: ignore[union-attr]


def python(body: str) -> float:
    """What Python makes of it."""
    names: dict[str, Any] = dict(MODULES)
    exec(f"def number():\n{textwrap.indent(body, '    ')}\n", names)
    return float(names["number"]())


def lines(text: str) -> list[str]:
    """The expressions of a list."""
    return textwrap.dedent(text).strip().splitlines()


def programs(text: str) -> list[str]:
    """The bodies of a list: a paragraph that a return ends."""
    found, part = [], ""
    for paragraph in textwrap.dedent(text).strip().split("\n\n"):
        part += f"{paragraph}\n\n"
        if paragraph.splitlines()[-1].startswith(("return", "case", "    case")) or "match" in paragraph:
            found.append(part.rstrip())
            part = ""
    assert not part, part
    return found


@pytest.mark.parametrize("expression", lines(COMPUTED))
def test_what_is_computed(expression: str) -> None:
    assert told(f"return {expression}") == python(f"return {expression}")


@pytest.mark.parametrize("expression", lines(UNSAID))
def test_what_may_be_unknown(expression: str) -> None:
    assert told(f"return {expression}") in (None, python(f"return {expression}"))


@pytest.mark.parametrize("body", programs(PROGRAMS), ids=range(len(programs(PROGRAMS))))
def test_programs(body: str) -> None:
    assert told(body) in (None, python(body))


def test_most_programs_are_followed_to_the_end() -> None:
    unknown = [body for body in programs(PROGRAMS) if told(body) is None]
    assert len(unknown) <= MOST_UNKNOWN, "\n---\n".join(unknown)


MOST_UNKNOWN = 4

SHAPES = {
    "x.shape.num_elements()": 24.0, "x.shape[-1]": 4.0, "x.shape.ndims": 3.0, "x.shape.rank": 3.0,
    "len(x.shape.as_list())": 3.0, "len(x.shape.dims)": 3.0, "x.shape.with_rank(3)[1]": 3.0,
    "x.shape.merge_with([2, 3, 4])[2]": 4.0, "x.shape.concatenate([5])[3]": 5.0, "sum(x.shape[::2])": 6.0,
    "x.shape.concatenate(x.shape)[4]": 3.0, "np.prod(x.shape[1:])": 12.0, "getattr(x, 'shape')[0]": 2.0,
    "x.get_shape().as_list()[1]": 3.0, "tf.TensorShape([2, 5])[1]": 5.0, "x.shape[y]": None, "x.shape[5]": None,
}  # fmt: skip


@pytest.mark.parametrize("expression", SHAPES)
def test_shapes(expression: str) -> None:
    loss = traced(
        f"def my_loss(y_true, y_pred):\n    x, y = tf.zeros([2, 3, 4]), unknown\n    return y_pred * ({expression})\n",
        header=HEADER,
    )
    assert constant(loss.value.inputs[1]) == SHAPES[expression]  # type: ignore[union-attr]
