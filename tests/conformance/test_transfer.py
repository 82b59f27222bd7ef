"""Contractions, look-ups, control flow and rows of different lengths, spelled in the many ways they can be.

Each case is run by TensorFlow and compared as the catalogue is: shape, law and gradient have to be exact, ranges and
dtypes not wrong. The last word is the coupling, which is measured too: "row" where each sample's result is its own,
"sum" where a batch gives what its parts add up to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.conformance.columns import EXACT, LOOSE, WRONG

pytestmark = pytest.mark.tf

CASES = """
matrix: tf.einsum('bi,bj->ij', y_pred, y_true): sum
matrix: tf.einsum('bi,bi->b', y_pred, y_true): row
matrix: tf.einsum('bi,bi', y_pred, y_true): sum
matrix: tf.einsum('ij,kj', y_pred, y_true): coupled
matrix: tf.einsum('bi,ci->bc', y_pred, y_true): coupled
matrix: tf.einsum('bi,ci,bi->b', y_pred, y_true, y_pred): coupled
matrix: tf.einsum('bi,ci->', y_pred, y_true): coupled
matrix: tf.einsum('bi->', y_pred): sum
matrix: tf.einsum('bi->ib', y_pred): row
matrix: tf.einsum('...i,...i->...', y_pred, y_true): row
matrix: tf.einsum('...i,...j->...ij', y_pred, y_true): row
matrix: tf.einsum('bi,ij->bj', y_pred, tf.ones([y_pred.shape[1], 4])): row
squares: tf.einsum('bij,bjk->bik', y_pred, y_true): row
squares: tf.einsum('...ij,...jk->...ik', y_pred, y_true): row
squares: tf.einsum('bii->b', y_pred): row
squares: tf.einsum('bii->bi', y_pred): row
squares: tf.einsum('bij,cij->bc', y_pred, y_true): coupled
sequence: tf.einsum('b t c, b s c -> b t s', y_pred, y_true): row
sequence: tf.einsum('btc,bsc->ts', y_pred, y_true): sum
matrix: tf.tensordot(y_pred, y_true, axes=[[-1], [-1]]): coupled
matrix: tf.tensordot(y_pred, y_true, axes=[[0], [0]]): sum
matrix: tf.tensordot(y_pred, y_true, axes=[1, 1]): coupled
matrix: tf.tensordot(y_pred, y_true, axes=2): sum
matrix: tf.tensordot(y_pred, y_true, axes=0): coupled
sequence: tf.tensordot(y_pred, y_true, axes=[[-1, -2], [2, 1]]): coupled
matrix: tf.matmul(y_pred, y_true, adjoint_b=True): coupled
matrix: tf.matmul(y_pred, y_true, adjoint_a=True): sum
matrix: tf.matmul(y_pred, y_true, transpose_b=True): coupled
squares: tf.matmul(y_pred, y_true, transpose_a=True, adjoint_b=True): row
squares: y_pred @ y_true: row
sequence: tf.matmul(y_pred, y_true, adjoint_b=True): row
squares: tf.linalg.matvec(y_pred, y_true[:, 0]): row
matrix: tf.gather(y_pred, [0, 2], axis=-1): row
matrix: tf.gather(y_pred, 1, axis=-1): row
matrix: tf.gather(y_pred, [0, 1]): coupled
matrix: tf.gather(y_pred, tf.zeros([tf.shape(y_pred)[0], 2], tf.int32), axis=-1, batch_dims=1): row
matrix: tf.gather(y_pred, tf.zeros([tf.shape(y_pred)[0], 2], tf.int32), batch_dims=-1): row
labels: tf.gather(y_pred, y_true, axis=1, batch_dims=1): row
labels: tf.gather(y_pred, y_true[:, None], batch_dims=1): row
labels: tf.gather(y_pred, y_true, axis=0): coupled
sequence: tf.gather(y_pred, [0, 1], axis=-2): row
sequence: tf.gather(y_pred, tf.zeros([tf.shape(y_pred)[0], 2], tf.int32), axis=2, batch_dims=1): row
matrix: tf.gather_nd(y_pred, [[0, 1], [1, 0]]): coupled
matrix: tf.gather_nd(y_pred, tf.zeros([tf.shape(y_pred)[0], 3, 1], tf.int32), batch_dims=1): row
labels: tf.gather_nd(y_pred, tf.stack([tf.range(tf.shape(y_true)[0]), y_true], axis=1)): row
labels: tf.gather_nd(y_pred, y_true[:, None], batch_dims=1): row
matrix: tf.scatter_nd([[0], [1]], y_pred[:2], tf.shape(y_pred)): coupled
matrix: tf.tensor_scatter_nd_update(y_pred, [[0], [1]], y_true[:2]): coupled
matrix: tf.boolean_mask(y_pred, y_true > 0.5): row, loose
matrix: tf.boolean_mask(y_pred, y_true[:, 0] > 0.5): row, loose
fixed: tf.boolean_mask(y_pred, [True, False, True, True, False, False], axis=1): row, loose
sequence: tf.boolean_mask(y_pred, y_true[..., 0] > 0.5): row, loose
matrix: tf.map_fn(lambda x: tf.reduce_sum(x), y_pred): row
matrix: tf.map_fn(lambda x: tf.reduce_sum(x[0] * x[1]), (y_pred, y_true), fn_output_signature=tf.float32): row
matrix: tf.map_fn(lambda i: y_pred[i], tf.range(tf.shape(y_pred)[0]), fn_output_signature=tf.float32): row
matrix: tf.vectorized_map(lambda x: tf.reduce_sum(x[0] * x[1]), (y_pred, y_true)): row
matrix: tf.vectorized_map(lambda x: x / tf.norm(x), y_pred): row
matrix: tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x + y_pred), (0, y_true))[1]: row
matrix: tf.while_loop(lambda i, x: i < 3, lambda i, x: [i + 1, x * y_pred], [tf.constant(0), y_true])[1]: row
matrix: tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x + tf.reduce_sum(y_pred)), (0, 0.0))[1]: sum
matrix: tf.cond(tf.reduce_mean(y_pred) > 2.0, lambda: y_true, lambda: tf.square(y_pred)): coupled
matrix: tf.cond(tf.constant(True), lambda: tf.square(y_pred), lambda: y_true): row
matrix: tf.cond(tf.constant(True), lambda: tf.reduce_sum(y_pred), lambda: tf.reduce_sum(y_true)): sum
matrix: tf.case([(tf.reduce_mean(y_pred) > 2.0, lambda: y_true)], default=lambda: 2.0 * y_pred): coupled
matrix: tf.switch_case(tf.constant(1), [lambda: y_pred, lambda: y_true]): row
matrix: tf.switch_case(tf.constant(7), {0: lambda: y_true, 1: lambda: y_true}, default=lambda: 2.0 * y_pred): row
matrix: tf.switch_case(tf.constant(7), [lambda: y_true, lambda: 2.0 * y_pred]): row
matrix: tf.custom_gradient(lambda x: (tf.round(x), lambda g: g))(y_pred): row
matrix: tf.custom_gradient(lambda x, y: (x * y, lambda g: (g, g)))(y_pred, y_true): row
matrix: tf.custom_gradient(lambda x: (tf.reduce_sum(x), lambda g: g * tf.ones_like(x)))(y_pred): sum
matrix: tf.grad_pass_through(tf.round)(y_pred): row
matrix: tf.recompute_grad(tf.square)(y_pred): row
matrix: tf.reduce_sum(tf.RaggedTensor.from_tensor(y_pred), axis=1): row
matrix: tf.reduce_mean(tf.RaggedTensor.from_tensor(y_pred), axis=-1): row
matrix: tf.reduce_sum(tf.RaggedTensor.from_tensor(y_pred)): sum
matrix: tf.square(tf.RaggedTensor.from_tensor(y_pred)).to_tensor(): row, loose
matrix: tf.ragged.boolean_mask(y_pred, y_true > 0.5).to_tensor(): row, loose
matrix: tf.ragged.boolean_mask(y_pred, y_true[:, 0] > 0.5): row, loose
matrix: tf.reduce_sum(tf.ragged.boolean_mask(y_pred, y_true > 0.5), axis=1): row
matrix: tf.reduce_sum(tf.ragged.stack([y_pred[0], y_pred[1]]), axis=1): coupled
matrix: tf.ragged.constant([[1.0, 2.0], [3.0]]).to_tensor() * tf.reduce_sum(y_pred): sum, loose
matrix: tf.ragged.map_flat_values(tf.square, tf.RaggedTensor.from_tensor(y_pred)).to_tensor(): row, loose
"""
LINES = [line.rsplit(": ", 1) for line in CASES.strip().splitlines()]


@pytest.mark.parametrize(("case", "expected"), LINES)
def test_transfer(case: str, expected: str) -> None:
    import losslint.ops.catalogue  # noqa: F401
    from tests.conformance.compare import compared
    from tests.conformance.inputs import SIZES, arrays
    from tests.conformance.kinds import KINDS
    from tests.conformance.measured import Measured, quiet
    from tests.conformance.predicted import Predicted

    quiet()
    kind, call = case.split(": ", 1)
    coupling, _, loose = expected.partition(", ")
    source = f"def case(y_true, y_pred):\n    return {call}\n"
    verdicts = compared(source, kind)
    assert not [f"{column}: {why}" for column, (verdict, why) in verdicts.items() if verdict == WRONG]
    assert verdicts["shape"][0] == (LOOSE if loose else EXACT)
    assert (verdicts["law"][0], verdicts["gradient"][0]) == (EXACT, EXACT)
    told = Predicted(source, KINDS[kind])
    assert [told.loss.couplings.of(node).kind for node in told.leaves] == [coupling]
    if loose:
        return  # how many elements there are differs from sample to sample
    pair = arrays(KINDS[kind], SIZES[0] | {"B": 4}, 0.05, 0.95)
    [whole] = Measured(source)(pair)
    [first], [second] = (Measured(source)(tuple(x[part] for x in pair)) for part in (slice(2), slice(2, 4)))  # type: ignore[arg-type]
    assert coupling == "coupled" or _fits(coupling, whole, first, second)


def _fits(coupling: str, whole: Any, first: Any, second: Any) -> bool:
    """Whether the results for two halves of a batch make up that for the whole."""
    if coupling == "sum":
        return np.allclose(whole, first + second, rtol=1e-4)
    axis = next(i for i, (a, b) in enumerate(zip(whole.shape, first.shape, strict=True)) if a != b)
    return np.allclose(whole, np.concatenate([first, second], axis), rtol=1e-4)
