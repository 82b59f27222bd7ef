"""The primitives: the small set of operations that every catalogued function is expanded to, and their shape rules.

``x, y`` are inputs (nodes), what follows ``;`` are attributes. Attributes marked ``*`` are added by the shape rule.

**leaves**
  source(; name, role)         role: "label" (y_true), "prediction" (y_pred, logits, any tensor the loss is about),
                               "argument" (another argument that may be a tensor), "weight" (sample weights, masks),
                               "config" (a Python hyper-parameter of unknown value: gamma, from_logits),
                               "captured" (a free name that may be a tensor), "variable" (trainable variables),
                               "input" (a batch of data, not trained).
                               optional attrs: batch="proven"|"assumed" where axis 0 is the batch.
  const(; value)               Python number, bool or nested tuple of them
  opaque(...; why)             anything unknown computed from its inputs
  random(; low, high)          a random tensor (low/high None where unbounded)
  range(n), eye(n)             tf.range, tf.eye
**elementwise, one input**     neg abs square sqrt rsqrt reciprocal exp expm1 log log1p sigmoid log_sigmoid tanh softplus
                               relu sin cos tan asin acos atan sinh cosh asinh acosh atanh erf erfc lgamma digamma
                               sign round floor ceil trunc is_nan is_inf is_finite not
                               identity stop_gradient cast(; dtype) smooth(; low, high, api)
                               ("smooth": any other differentiable elementwise function with results in [low, high]),
                               leaves_tensorflow(...; how) (NumPy, float(), .numpy(): value kept, graph left),
                               numpy_function(...), py_function(...), variable_of(x) (tf.Variable(x)), straight_through(x)
                               (a custom gradient: result unknown, gradient live by declaration)
**elementwise, two inputs**    add sub mul div pow maximum minimum floordiv mod atan2
                               div_no_nan mul_no_nan xlogy xlog1py xdivy
                               lt le gt ge eq ne and or xor
**elementwise, three**         select(condition, x, y)  (tf.where with three arguments), clip(x, low, high)
**join**                       join(x, ...)  one of them, by a branch that Python takes; loop(start, one_turn, two_turns)
**reductions**                 sum mean prod max min all any logsumexp std var norm(; ord)
                               argmax argmin count_nonzero median: (x; axis, keepdims, extent*)
                               extent: Dim, how many elements each result is made of, or None. axis is None or a tuple.
**along an axis, same shape**  softmax log_softmax l2_normalize(; epsilon) cumsum cumprod sort argsort reverse roll: (x; axis, extent*)
                               top_k(x; k, part="values"|"indices") over the last axis
**shape**                      reshape(x; dims*) expand_dims(x; axis) squeeze(x; axis) transpose(x; perm) broadcast_to
                               tile(x; multiples) repeat(x; repeats, axis) pad(x; ...) concat(...; axis) stack(...; axis)
                               unstack(x; index, count, axis) index(x; key) gather(x, indices; axis) gather_nd(x, indices)
                               boolean_mask(x, mask) diag_part(x) diag(x) set_diag(x, d) band_part(x)
                               one_hot(indices; depth) scatter(indices, updates) unique(x) segment(x, ids; how)
                               shape_of(x) size_of(x) rank_of(x) dynamic_dim(x; axis) static_dim(x; axis)
                               zeros ones fill(value) (; shape given), zeros_like(x) ones_like(x)
**contractions**               matmul(x, y; transpose_a, transpose_b, extent*) einsum(...; equation, extent*)
                               tensordot(x, y; axes, extent*) linalg(x; how) (inverse, det, cholesky, svd ...)
**neural**                     model(...; name) (a model or layer called on its inputs: row by row, unknown result, carries
                               trainable weights), conv(x, kernel; how) (convolution, pooling, resizing: mixes space and
                               channels, row by row in the batch), ssim(x, y; low, high), batch_statistics(...)
**gradients**                  gradient_of(y, x)  tf.gradients, inner_tape.gradient: shaped as x, differentiable

Shape rules are run when a node is made; an unknown shape is an answer, never an error.
"""

from __future__ import annotations
