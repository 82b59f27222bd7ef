from __future__ import annotations

import pytest

from losslint.domain import coupling
from losslint.domain.coupling import CONST, MEAN, ROW, SUM, UNKNOWN, counted
from tests.hand import Hand

NODE = Hand().mse()
OTHER = Hand().mse()


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ([ROW, CONST], "row"),
        ([MEAN, CONST], "mean"),
        ([ROW, MEAN], "row+mean"),
        ([MEAN, MEAN], "mean"),
        ([CONST, CONST], "const"),
        ([SUM, SUM], "sum"),
        ([SUM, MEAN], "coupled"),
        ([MEAN, UNKNOWN], "unknown"),
        ([counted(1), CONST], "coupled"),
    ],
)
def test_linear_combinations(parts, kind):
    assert coupling.add(NODE, parts).kind == kind
    assert coupling.add(NODE, parts[::-1]).kind == kind


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        (ROW, ROW, "row"),
        (ROW, CONST, "row"),
        (MEAN, CONST, "mean"),
        (SUM, counted(-1), "mean"),
        (MEAN, counted(1), "sum"),
        (MEAN, MEAN, "coupled"),
        (ROW, MEAN, "coupled"),
        (counted(1), counted(-1), "const"),
        (ROW, UNKNOWN, "unknown"),
    ],
)
def test_products(a, b, kind):
    assert coupling.multiply(NODE, a, b).kind == kind
    assert coupling.multiply(NODE, b, a).kind == kind


@pytest.mark.parametrize(("x", "kind"), [(ROW, "sum"), (CONST, "count"), (coupling.add(NODE, [ROW, MEAN]), "sum")])
def test_sums_over_the_batch(x, kind):
    assert coupling.reduce_sum(NODE, x, 1).kind == kind
    assert coupling.reduce_sum(NODE, x, 0) == x
    assert coupling.reduce_sum(NODE, x, None).kind == "unknown"


def test_functions_keep_rows_and_couple_the_rest():
    assert coupling.function(NODE, [ROW, CONST]) == ROW
    assert coupling.function(NODE, [CONST]) == CONST
    assert coupling.function(NODE, [MEAN]).at is NODE


def test_the_first_coupling_is_remembered():
    first = coupling.function(NODE, [MEAN])
    assert coupling.multiply(OTHER, first, ROW).at is NODE
    assert coupling.add(OTHER, [first, UNKNOWN]).at is NODE


def test_order_is_remembered():
    shuffled = coupling.coupled(NODE, ordered=True)
    assert coupling.add(OTHER, [shuffled, ROW]).ordered
    assert str(shuffled) == "coupled (order matters)"


def test_counts_of_the_batch_add_up():
    products = [coupling.multiply(NODE, counted(a), counted(b)) for a, b in ((1, 2), (1, 1), (2, -1), (1, -1))]
    assert [x.count for x in products] == [3, 2, 1, None]
    assert products[-1] == CONST
