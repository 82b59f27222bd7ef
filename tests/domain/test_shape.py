from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losslint.domain.shape import BATCH, ONE, SCALAR, Dim, Shape, broadcast, opened, product, reduce, with_rank

IMAGES = Shape.of("B", "H", "W", "C")
OPEN = Shape((BATCH,), "S", (Dim.of("C"),))
names = st.sampled_from(["B", "H", "C", "B#1"])
dims = st.builds(lambda n, s: Dim(n) * product([Dim.of(x) for x in s]), st.integers(1, 6), st.lists(names, max_size=3))
listed = st.lists(st.sampled_from([1, 3, 5, "B", "C"]), max_size=4).map(lambda d: Shape.of(*d))


@given(dims, dims)
def test_a_quotient_undoes_a_product(a, b):
    assert (a * b).divided_by(b) == a


@given(dims, dims)
def test_degrees_add(a, b):
    assert (a * b).batch == a.batch + b.batch


def test_degrees():
    assert (BATCH * BATCH).batch == 2
    assert Dim.of("H").batch == 0
    assert Dim.unknown().batch is None
    assert [Dim.fresh(d).batch for d in (0, 1, 2, None)] == [0, 1, 2, None]
    assert Dim.fresh().batch == 0


def test_no_quotient_that_is_no_extent():
    assert Dim(7).divided_by(Dim(2)) is None
    assert Dim.of("H").divided_by(Dim.of("W")) is None
    assert Dim(7).divided_by(Dim(0)) is None


@pytest.mark.parametrize(
    ("shape", "axes", "keepdims", "expected", "extent"),
    [
        (IMAGES, None, False, "()", "B*C*H*W"),
        (IMAGES, (1, 2, 3), False, "(B,)", "C*H*W"),
        (IMAGES, (-1,), True, "(B, H, W, 1)", "C"),
        (IMAGES, (0,), False, "(H, W, C)", "B"),
        (IMAGES, (), False, "(B, H, W, C)", "1"),
        (OPEN, (-1,), False, "(B, ...)", "C"),
        (OPEN, (-1,), True, "(B, ..., 1)", "C"),
        (OPEN, (0,), False, "(..., C)", "B"),
        (OPEN, None, False, "()", "B*C*S"),
    ],
)
def test_reduce(shape, axes, keepdims, expected, extent):
    left, count = reduce(shape, axes, keepdims)
    assert (str(left), str(count)) == (expected, extent)


def test_the_unlisted_axes_leave_the_batch():
    left, count = reduce(OPEN, (1, 2, 3))
    assert str(left) == "(B,)"
    assert count.batch == 0


def test_the_last_axes_of_what_is_open_take_listed_ones_with_them():
    shape = Shape((BATCH, Dim.of("T"), Dim.of("H")), "S")
    left, extent = reduce(shape, (-1,), False)  # the unlisted axes may be none, and then it is H
    assert left.head == (BATCH, Dim.of("T")) and left.rest and left.rank is None
    assert extent is not None and extent.batch == 0
    assert reduce(shape, (-1, -2), False)[0].head == (BATCH,)
    whole, extent = reduce(shape, (-1, -2, -3), False)
    assert (whole.head, whole.tail, extent) == ((), (), None), "the batch may be among them"


def test_an_axis_that_may_be_the_batch_is_unknown():
    left, count = reduce(Shape((BATCH,), "S"), (-1,))
    assert count is None
    assert left.numel.batch is None


def test_an_axis_that_is_not_there():
    assert reduce(IMAGES, (7,))[1] is None


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (Shape.of("B", 1), Shape.of("B"), "(B, B)"),
        (Shape.of("B", "C"), Shape.of("C"), "(B, C)"),
        (IMAGES, Shape.of("B", 1, 1, 1), "(B, H, W, C)"),
        (OPEN, SCALAR, "(B, ..., C)"),
        (OPEN, Shape.of(3), "(B, ..., 3)"),
        (OPEN, Shape.of("B", 1), "(B, ..., C)"),
        (OPEN, Shape((BATCH,), "W"), "(B, ...)"),
        (Shape.of("C"), Shape((), "S"), "(...)"),
    ],
)
def test_broadcast(a, b, expected):
    assert str(broadcast(a, b)).replace(",)", ")") == expected.replace(",)", ")")
    assert str(broadcast(b, a)).replace(",)", ")") == expected.replace(",)", ")")


def test_the_batch_survives_a_tensor_of_unknown_rank():
    both = broadcast(Shape.of("B", "C"), Shape.unknown())
    assert both.head == (BATCH,)
    assert both.numel.batch is None


def test_one_axis_fits_the_last_unlisted_one_and_two_may_be_more_than_there_are():
    images = Shape((BATCH,), "S")
    assert broadcast(images, Shape.of(3)) == images
    wider = broadcast(images, Shape.of(2, 3))
    assert (wider.head, wider.tail) == (images.head, ())
    assert wider.rest != "S"


@given(listed, listed)
def test_broadcasting_is_symmetric_in_rank_and_growth(a, b):
    one, other = broadcast(a, b), broadcast(b, a)
    assert one.rank == other.rank == max(a.rank, b.rank)
    assert one.numel.batch == other.numel.batch


@given(listed)
def test_broadcasting_with_itself_or_ones_changes_nothing(shape):
    assert broadcast(shape, shape) == shape
    assert broadcast(shape, Shape((ONE,) * shape.rank)) == shape


def test_ranks_can_be_supplied():
    assert with_rank(OPEN, 3).head == (BATCH, Dim.of("S"), Dim.of("C"))
    assert with_rank(OPEN, 4).numel.batch == 1
    assert with_rank(OPEN, 1).rank is None


def test_opening_forgets_axes_but_not_that_they_are_free():
    assert opened(IMAGES, 1).numel.batch == 1
    assert opened(IMAGES, 0).numel.batch is None
    assert str(opened(IMAGES, 1, 1)) == "(B, ..., C)"
