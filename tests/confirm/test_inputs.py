"""Tensors that a loss is called with: what the domains hold, what users declare, how batches are cut and repeated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losslint.confirm.inputs import (
    DOMAINS,
    SIZES,
    BadDeclaration,
    Convention,
    Spec,
    declared,
    halves,
    sizes_for,
    values,
)

DIMS = ("B", "H", "C")


def drawn(domain: str, dims: tuple[str | int, ...] = DIMS, seed: int = 0) -> np.ndarray:
    return values(Spec("label", domain, dims), SIZES[0], np.random.default_rng(seed))


@pytest.mark.parametrize("sizes", SIZES)
def test_extents_are_primes_and_all_different(sizes: dict[str, int]) -> None:
    near = [n for name, n in sizes.items() if name not in ("N", "T")]  # those two never meet
    assert len(set(near)) == len(near)
    assert all(n > 1 and all(n % d for d in range(2, n)) for n in sizes.values())


@given(st.integers(0, 1000))
def test_domains_hold_what_they_say(seed: int) -> None:
    for domain in ("prob", "unit", "simplex"):
        assert (drawn(domain, seed=seed) > 0).all() and (drawn(domain, seed=seed) < 1).all()
    assert np.allclose(drawn("simplex", seed=seed).sum(-1), 1)
    assert set(np.unique(drawn("binary", seed=seed))) == {0, 1}
    assert (drawn("onehot", seed=seed).sum(-1) == 1).all()
    assert set(np.unique(drawn("sign", seed=seed))) == {-1, 1}
    assert (drawn("positive", seed=seed) > 0).all()
    box = drawn("box", ("B", 4), seed)
    assert (box[:, 2:] > box[:, :2]).all()


@given(st.integers(0, 1000))
def test_rows_of_several_labels_have_ones_and_zeros(seed: int) -> None:
    rows = drawn("binary", ("B", "C"), seed)
    assert (rows.sum(1) > 0).all() and (rows.sum(1) < rows.shape[1]).all()


def test_classes_occur_twice() -> None:
    ids = drawn("ids", ("B",))
    assert max(np.bincount(ids.astype(int))) > 1 and len(set(ids)) > 1


def test_every_domain_can_be_drawn() -> None:
    for domain in DOMAINS:
        assert drawn(domain, ("B", 4)).shape == (7, 4)


# -- what users declare ----------------------------------------------------------------------------------------------


def test_declarations() -> None:
    found = declared("y_true=int32[B] y_pred=prob[B,10], gamma=2.5 mask=bool[B, T] flag=True", {"y_true": "label"})
    assert found["y_true"] == Spec("label", "ids", ("B",), "int32", given=True)
    assert found["y_pred"] == Spec("other", "prob", ("B", 10), given=True)
    assert found["gamma"].value == 2.5 and found["flag"].value is True
    assert found["mask"].dims == ("B", "T") and found["mask"].dtype == "bool"
    constants = declared("axis=-1 mode='sum' rate=0.5", {})
    assert [type(s.value) for s in constants.values()] == [int, str, float]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("y_pred=probability[B]", ["y_pred", "probability", "prob"]),
        ("y_pred=prob[B,-1]", ["y_pred", "-1"]),
        ("y_pred", ["y_pred", "name=kind"]),
        ("a=b=c", ["b"]),
        ("y_pre=prob[B]", ["y_pre", "y_pred"]),
    ],
)
def test_mistakes_name_the_place(text: str, words: list[str]) -> None:
    with pytest.raises(BadDeclaration) as caught:
        declared(text, {}, ["a", "y_true", "y_pred"])
    assert all(word in str(caught.value) for word in words)


def test_named_extents_get_primes_of_their_own() -> None:
    sizes = sizes_for(declared("a=real[B,K] b=real[B,L,C]", {}), SIZES[0])
    assert len({sizes[n] for n in "BKLC"}) == 4


# -- batches ---------------------------------------------------------------------------------------------------------


def test_scores_of_pairs_have_two_batch_axes() -> None:
    convention = Convention(
        "pairs", {"s": Spec("prediction", "real", ("B", "B")), "k": Spec("other", "constant", value=3)}
    )
    arrays = convention.sample(SIZES[0])
    twice = convention.mapped(arrays, lambda v: np.concatenate([v, v]))
    assert twice["s"].shape == (14, 14) and twice["k"] == 3
    assert np.array_equal(twice["s"][7:, :7], arrays["s"])


@given(st.integers(3, 12))
def test_splits_hold_every_sample_once(count: int) -> None:
    for parts in halves(count):
        assert [i for part in parts for i in range(*part.indices(count))] == list(range(count))
