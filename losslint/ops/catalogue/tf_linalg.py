"""``tf.linalg``: products, diagonals, decompositions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape, reduce
from losslint.graph import Graph, Node, SomeOf
from losslint.ops.axes import axes_of, batched, constant_of, flag, opaque_row, reduced, row, unknown
from losslint.ops.registry import api
from losslint.ops.shapevalue import Record


@api("tensorflow.matmul", "tensorflow.linalg.matmul", "tensorflow.batch_matmul", "tensorflow.sparse_matmul")
def matmul(
    g: Graph,
    a: Any,
    b: Any,
    transpose_a: Any = False,
    transpose_b: Any = False,
    adjoint_a: Any = False,
    adjoint_b: Any = False,
    a_is_sparse: Any = False,
    b_is_sparse: Any = False,
    output_type: Any = None,
    grad_a: Any = False,
    grad_b: Any = False,
    name: Any = None,
    *,
    adj_x: Any = False,
    adj_y: Any = False,
) -> Node:
    """The product of the last two axes."""
    first = flag(transpose_a) or flag(adjoint_a) or flag(adj_x)
    second = flag(transpose_b) or flag(adjoint_b) or flag(adj_y)
    return g.op("matmul", a, b, transpose_a=first, transpose_b=second)


@api("tensorflow.linalg.matvec")
def matvec(
    g: Graph,
    a: Any,
    b: Any,
    transpose_a: Any = False,
    adjoint_a: Any = False,
    a_is_sparse: Any = False,
    b_is_sparse: Any = False,
    name: Any = None,
) -> Node:
    """A matrix times a vector."""
    with g.library():
        column = g.op("expand_dims", b, axis=-1)
        return g.op("squeeze", matmul(g, a, column, transpose_a, adjoint_a=adjoint_a), axis=(-1,))


@api("tensorflow.tensordot", "tensorflow.linalg.tensordot")
def tensordot(g: Graph, a: Any, b: Any, axes: Any, name: Any = None) -> Node:
    """The sum of products over pairs of axes."""
    known = constant_of(axes)
    if isinstance(known, int):
        return g.op("tensordot", a, b, axes=known)
    if isinstance(known, tuple) and len(known) == 2:
        return g.op("tensordot", a, b, axes=tuple(axes_of(part) or () for part in known))
    return unknown(g, "tensordot over axes that are not known", a, b, axes)


@api("tensorflow.einsum", "tensorflow.linalg.einsum")
def einsum(g: Graph, equation: Any, *inputs: Any, **kwargs: Any) -> Node:
    """Products and sums as the equation says; the part behind ``->`` may be left out."""
    if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)):
        inputs = tuple(inputs[0])
    if not isinstance(equation, str):
        return unknown(g, "an equation that is not known", *inputs)
    words = equation.replace(" ", "")
    if "->" not in words and "." not in words:
        letters = words.replace(",", "")
        words += "->" + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    return g.op("einsum", *inputs, equation=words)


@api("tensorflow.linalg.cross", "tensorflow.cross")
def cross(g: Graph, a: Any, b: Any, name: Any = None) -> Node:
    """The cross product of vectors in space."""
    with g.library():
        return g.op("sub", g.op("mul", a, g.op("roll", b, axis=(-1,))), g.op("mul", g.op("roll", a, axis=(-1,)), b))


@api("tensorflow.linalg.matrix_transpose", "tensorflow.matrix_transpose", "tensorflow.linalg.adjoint")
def matrix_transpose(g: Graph, a: Any = None, name: Any = None, conjugate: Any = False, *, matrix: Any = None) -> Node:
    """The last two axes exchanged."""
    x = g.lift(a if a is not None else matrix)
    if x.shape.rank is not None and x.shape.rank >= 2:
        order = (*range(x.shape.rank - 2), x.shape.rank - 1, x.shape.rank - 2)
        return g.op("transpose", x, perm=order)
    rows, columns = x.shape.axis(-2), x.shape.axis(-1)
    node = g.op("linalg", x, how="matrix_transpose")
    if rows is None or columns is None:
        return node
    return batched(node, Shape(x.shape.head, x.shape.rest, (*x.shape.tail[:-2], columns, rows)))


# -- diagonals ---------------------------------------------------------------------------------------------------------
@api(
    "tensorflow.linalg.diag_part",
    "tensorflow.matrix_diag_part",
)
def diag_part(
    g: Graph, input: Any, name: Any = None, k: Any = 0, padding_value: Any = 0, align: Any = "RIGHT_LEFT"
) -> Node:
    """The diagonal of the last two axes."""
    node = g.op("diag_part", input)
    return node if constant_of(k) == 0 else unknown(g, "another diagonal", node, k)


@api("tensorflow.linalg.diag", "tensorflow.matrix_diag")
def diag(
    g: Graph,
    diagonal: Any,
    name: Any = None,
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
    align: Any = "RIGHT_LEFT",
) -> Node:
    """A matrix with this diagonal."""
    node = g.op("diag", diagonal)
    return node if constant_of(k) == 0 else unknown(g, "another diagonal", node, k)


@api("tensorflow.linalg.tensor_diag", "tensorflow.diag")
def tensor_diag(g: Graph, diagonal: Any, name: Any = None) -> Node:
    """A matrix with this diagonal; of a matrix it would be a tensor with four axes."""
    x = g.lift(diagonal)
    return g.op("diag", x) if x.shape.rank == 1 else unknown(g, "a diagonal of several axes", x)


@api("tensorflow.linalg.tensor_diag_part", "tensorflow.diag_part")
def tensor_diag_part(g: Graph, input: Any, name: Any = None) -> Node:
    """The diagonal of one matrix."""
    x = g.lift(input)
    if x.shape.rank is None:  # a matrix, most likely
        return batched(g.op("diag_part", x), Shape((x.shape.axis(0) or x.shape.axis(-1) or Dim.unknown(),)))
    return g.op("diag_part", x) if x.shape.rank == 2 else unknown(g, "a diagonal of several axes", x)


@api("tensorflow.linalg.set_diag", "tensorflow.matrix_set_diag")
def set_diag(g: Graph, input: Any, diagonal: Any, name: Any = None, k: Any = 0, align: Any = "RIGHT_LEFT") -> Node:
    """The matrix with another diagonal."""
    return g.op("set_diag", input, diagonal)


@api("tensorflow.linalg.band_part", "tensorflow.matrix_band_part")
def band_part(g: Graph, input: Any, num_lower: Any, num_upper: Any, name: Any = None) -> Node:
    """The matrix near its diagonal, 0 elsewhere."""
    return g.op("band_part", input, num_lower=num_lower, num_upper=num_upper)


@api("tensorflow.linalg.trace", "tensorflow.trace")
def trace(g: Graph, x: Any, name: Any = None) -> Node:
    """The sum of the diagonal."""
    with g.library():
        return g.op("sum", g.op("diag_part", x), axis=(-1,), keepdims=False)


@api("tensorflow.linalg.pinv")
def pinv(g: Graph, a: Any, rcond: Any = None, validate_args: Any = False, name: Any = None) -> Node:
    """The pseudo-inverse: rows and columns change places."""
    x = g.lift(a)
    return batched(g.op("linalg", x, how="pinv"), matrix_transpose(g, x).shape)


# -- decompositions ----------------------------------------------------------------------------------------------------
def _one(how: str) -> Callable[..., Node]:
    def expansion(
        g: Graph, input: Any = None, *args: Any, matrix: Any = None, a: Any = None, name: Any = None, **kwargs: Any
    ) -> Node:
        x = next((v for v in (input, matrix, a) if v is not None), None)
        return g.op("linalg", x, *(v for v in args if isinstance(v, Node)), how=how)

    return expansion


for _names, _how in {
    "linalg.inv matrix_inverse": "inverse",
    "linalg.det matrix_determinant": "det",
    "linalg.logdet": "logdet",
    "linalg.cholesky cholesky": "cholesky",
    "linalg.expm matrix_exponential": "expm",
    "linalg.logm": "logm",
    "linalg.sqrtm matrix_square_root": "sqrtm",
    "linalg.eigvalsh self_adjoint_eigvals": "eigvalsh",
}.items():
    row(_names, _one(_how))


@api("tensorflow.linalg.matrix_rank")
def matrix_rank(g: Graph, a: Any, tol: Any = None, validate_args: Any = False, name: Any = None) -> Node:
    """An integer for each matrix."""
    x = g.lift(a)
    return batched(g.op("linalg", x, how="matrix_rank"), reduce(x.shape, (-2, -1))[0], "int32")


@api("tensorflow.linalg.eigvals", "tensorflow.eigvals")
def eigvals(g: Graph, tensor: Any, name: Any = None) -> Node:
    """The eigenvalues of any matrix are complex."""
    x = g.lift(tensor)
    return batched(g.op("linalg", x, how="eigvals"), _singular(x), "complex64")


def _solver(how: str) -> Callable[..., Node]:
    def expansion(g: Graph, matrix: Any, rhs: Any, *args: Any, **kwargs: Any) -> Node:
        right = g.lift(rhs)
        return batched(g.op("linalg", matrix, right, how=how), right.shape)

    return expansion


row("linalg.solve matrix_solve", _solver("solve"))
row("linalg.triangular_solve matrix_triangular_solve", _solver("triangular_solve"))
row("linalg.cholesky_solve cholesky_solve", _solver("cholesky_solve"))


def _singular(x: Node) -> Shape:
    """The shape of the singular values, or eigenvalues, of a matrix."""
    if x.shape.rank is not None and x.shape.rank >= 2:
        *outer, rows, columns = x.shape.head
        return Shape(
            (*outer, rows if rows == columns else Dim.fresh(0 if {rows.batch, columns.batch} == {0} else None))
        )
    return Shape.unknown()


@api("tensorflow.linalg.svd", "tensorflow.svd")
def svd(g: Graph, tensor: Any, full_matrices: Any = False, compute_uv: Any = True, name: Any = None) -> Any:
    """Singular values and, unless they are not wanted, both sides."""
    x = g.lift(tensor)
    values = batched(g.op("linalg", x, how="svd"), _singular(x))
    if constant_of(compute_uv) is False:
        return values
    sides = [batched(g.op("linalg", x, how=f"svd_{side}"), Shape.unknown()) for side in "uv"]
    return Record(("s", "u", "v"), (values, *sides))


@api("tensorflow.linalg.eig", "tensorflow.eig")
def eig(g: Graph, tensor: Any, name: Any = None) -> Record:
    """Eigenvalues and eigenvectors of any matrix, which are complex."""
    x = g.lift(tensor)
    values = batched(g.op("linalg", x, how="eig"), _singular(x), "complex64")
    return Record(("e", "v"), (values, batched(g.op("linalg", x, how="eig_vectors"), x.shape, "complex64")))


@api("tensorflow.linalg.eigh", "tensorflow.self_adjoint_eig")
def eigh(g: Graph, tensor: Any, name: Any = None) -> Record:
    """Eigenvalues and eigenvectors."""
    x = g.lift(tensor)
    values = batched(g.op("linalg", x, how="eigh"), _singular(x))
    return Record(("e", "v"), (values, batched(g.op("linalg", x, how="eigh_vectors"), x.shape)))


@api("tensorflow.linalg.qr", "tensorflow.qr")
def qr(g: Graph, input: Any, full_matrices: Any = False, name: Any = None) -> Record:
    """An orthogonal and a triangular factor."""
    x = g.lift(input)
    return Record(("q", "r"), tuple(g.op("linalg", x, how=f"qr_{part}") for part in "qr"))


@api("tensorflow.linalg.lu")
def lu(g: Graph, input: Any, output_idx_type: Any = None, name: Any = None) -> Record:
    """Both triangular factors in one matrix, and the permutation."""
    x = g.lift(input)
    factors, order = (g.op("linalg", x, how="lu") for _ in range(2))
    return Record(("lu", "p"), (factors, batched(order, order.shape, "int32")))


@api("tensorflow.linalg.slogdet")
def slogdet(g: Graph, input: Any, name: Any = None) -> Record:
    """The sign of the determinant and the logarithm of its size."""
    logdet = g.op("linalg", input, how="logdet")
    with g.library():
        sign = g.op("sign", g.op("linalg", input, how="det"))
    return Record(("sign", "log_abs_determinant"), (sign, logdet))


# -- norms of lists ----------------------------------------------------------------------------------------------------
@api("tensorflow.linalg.global_norm", "tensorflow.global_norm")
def global_norm(g: Graph, t_list: Any, name: Any = None) -> Node:
    """sqrt of the sum of the squares of everything in a list."""
    tensors = [t for t in t_list if t is not None] if isinstance(t_list, (list, tuple)) else [t_list]
    if not tensors or not all(isinstance(t, Node) for t in tensors):
        return unknown(g, "the norm of a list that is not known", t_list)
    norms = [g.op("norm", t, axis=None, keepdims=False, ord=2) for t in tensors]
    if isinstance(t_list, SomeOf):
        norms = SomeOf(norms)
    elif len(norms) == 1:
        return norms[0]
    return g.op("norm", norms, axis=None, keepdims=False, ord=2)


@api("tensorflow.clip_by_norm")
def clip_by_norm(g: Graph, t: Any, clip_norm: Any, axes: Any = None, name: Any = None) -> Node:
    """Scaled down where the norm is above ``clip_norm``."""
    x = g.lift(t)
    with g.library():
        length = reduced(g, "norm", x, axes, True, ord=2)
        scaled = g.op("div", g.op("mul", x, clip_norm), g.op("maximum", length, clip_norm))
    return batched(scaled, x.shape)


@api("tensorflow.clip_by_global_norm")
def clip_by_global_norm(g: Graph, t_list: Any, clip_norm: Any, use_norm: Any = None, name: Any = None) -> Any:
    """A list scaled down where its norm is above ``clip_norm``, and that norm."""
    length = use_norm if use_norm is not None else global_norm(g, t_list)
    if not isinstance(t_list, (list, tuple)):
        return unknown(g, "a clipped list", t_list), length
    with g.library():
        factor = g.op("div", clip_norm, g.op("maximum", length, clip_norm))
        return type(t_list)(t if t is None else g.op("mul", t, factor) for t in t_list), length


opaque_row(
    "a decomposition that is not followed",
    "linalg.lstsq matrix_solve_ls "
    "linalg.banded_triangular_solve linalg.eigh_tridiagonal linalg.lu_matrix_inverse linalg.lu_reconstruct "
    "linalg.lu_solve linalg.tridiagonal_matmul linalg.tridiagonal_solve linalg.LinearOperatorDiag "
    "linalg.LinearOperatorFullMatrix linalg.LinearOperatorIdentity linalg.LinearOperatorLowerTriangular "
    "linalg.LinearOperatorToeplitz linalg.LinearOperatorCirculant",
)
