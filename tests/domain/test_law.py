from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losslint.domain import law as laws
from losslint.domain.law import NOTHING, STILL, Dual, Law, Power, Term
from tests.hand import Hand

NODE = Hand().mse()
powers = st.fractions(min_value=-2, max_value=2, max_denominator=4)


def live(p, c=0):
    return Dual(Power(Fraction(p), Fraction(c)), Law((Term(Fraction(p)),)))


@given(powers, powers)
def test_powers_multiply_and_divide(p, q):
    product = laws.multiply(NODE, live(p), live(q))
    assert product.value == Power(p + q)
    assert product.gradient.p == p + q
    back = laws.multiply(NODE, product, laws.power(NODE, live(q), Fraction(-1)))
    assert (back.value.p, back.gradient.p) == (p, p)


@given(powers)
def test_exp_undoes_log(p):
    there = laws.log(NODE, live(p))
    back = laws.exp(NODE, there)
    assert there.value == Power(c=p)
    assert (back.value.p, back.gradient.p) == (p, p)


@given(powers, st.fractions(min_value=-3, max_value=3, max_denominator=2))
def test_a_power_scales_value_and_gradient(p, r):
    raised = laws.power(NODE, live(p), r)
    assert raised.value.p == p * r
    if p != 0:
        assert raised.gradient.p == p * r


@given(powers, st.integers(-2, 2))
def test_sums_add_the_degree_of_their_extent(p, d):
    assert laws.total(NODE, live(p), d).gradient.p == p + d


def test_additions_of_different_laws_are_mixed_where_they_meet():
    node = Hand().op("add", 1.0, 2.0)
    mixed = laws.add(node, [live(0), live(1)])
    assert (mixed.gradient.kind, mixed.gradient.met) == ("mixed", node)
    assert [p for p, _ in mixed.gradient.sides] == [0, 1]
    assert mixed.value == Power(Fraction(1), asymptotic=True)
    halved = laws.multiply(node, mixed, Dual(Power(Fraction(-1))))
    assert halved.gradient.powers == {-1, 0}
    assert halved.gradient.met is node


def test_a_constant_leaves_the_gradient_alone():
    both = laws.add(NODE, [live(1), Dual(STILL)])
    assert (both.gradient.p, both.gradient.asymptotic) == (1, False)
    assert both.value.asymptotic


def test_zero_has_every_law():
    assert laws.add(NODE, [live(1), Dual(NOTHING)]) == live(1)
    assert laws.either(NODE, [live(1), Dual(NOTHING)]).value == Power(Fraction(1))
    assert laws.multiply(NODE, live(1), Dual(NOTHING)).value is NOTHING


def test_logs_of_the_batch_size_cancel():
    total, size = laws.log(NODE, live(1)), laws.log(NODE, Dual(Power(Fraction(1))))
    assert laws.add(NODE, [total, size], (1, -1)).value == STILL


def test_what_is_not_a_power_of_k_is_lost():
    logarithm = laws.log(NODE, live(1))
    assert laws.multiply(NODE, logarithm, live(0)).gradient.kind == "unknown"
    assert laws.power(NODE, logarithm, Fraction(2)).value is None


def test_broken_stays_broken():
    broken = laws.curve(NODE, live(1))
    assert (broken.value, broken.gradient.kind) == (None, "broken")
    assert laws.unknown(broken, live(0)).gradient.kind == "broken"


@pytest.mark.parametrize(("at_zero", "p"), [(0.0, -1), (1.0, 0)])
def test_small_arguments_are_followed_nearly_linearly(at_zero, p):
    near = laws.curve(NODE, live(-1), at_zero)
    assert (near.value.p, near.value.asymptotic, near.gradient.p) == (p, True, -1)


def test_how_laws_read():
    assert str(Power(Fraction(1, 2))) == "law 1/2"
    assert str(Power(c=Fraction(1), asymptotic=True)) == "law 0, + 1 log k for large batches"
    assert [str(x) for x in (Law(), live(1).gradient, laws.UNKNOWN)] == ["absent", "law 1", "unknown"]


def test_only_what_raises_a_gradient_has_grown_it():
    summed, other = Hand().mse(), Hand().mse()
    law = Law((Term(Fraction(1), grown=summed),))
    (same,) = laws.shifted(law, Power(asymptotic=True), other).terms
    assert (same.p, same.grown, same.lowered, same.asymptotic) == (1, summed, None, True)
    (halved,) = laws.shifted(law, Power(Fraction(-1, 2)), other).terms
    assert (halved.p, halved.grown, halved.lowered) == (Fraction(1, 2), summed, other)
    (raised,) = laws.shifted(law, Power(Fraction(1, 2)), other).terms
    assert (raised.p, raised.grown, raised.lowered) == (Fraction(3, 2), other, None)


def test_powers_are_those_of_the_parts_that_have_one():
    parts = (Term(Fraction(1), broken=NODE), Term(None), Term(Fraction(2)))
    assert Law(parts).powers == {Fraction(2)}


def test_a_sum_holds_for_large_batches_only_where_its_largest_part_does():
    large = Dual(Power(Fraction(1), asymptotic=True))
    assert laws.add(NODE, [large, live(1)]).value == Power(Fraction(1), asymptotic=True)
    assert laws.add(NODE, [live(1), live(1)]).value == Power(Fraction(1))


def test_one_of_several_is_known_only_where_all_are():
    assert laws.either(NODE, [Dual(None), live(0)]).value is None
    assert laws.either(NODE, [live(1), live(1)]).value == Power(Fraction(1))
    assert laws.either(NODE, [live(1), live(0)]).value is None
