"""How catalogued functions are called: by the names of their parameters, and by recipe where that is not enough.

Recipes are tables ``kind: call: names``. ``{f}`` stands for the function, names are last parts (``reduce_sum``) or whole
canonical names, which win. A call may be followed by others, separated by ``;``.
"""

from __future__ import annotations

ARGUMENTS = {
    "x input input_tensor tensor a t value features logits arr ary array data m A operand inputs input_ number object v z ar val": "y_pred",
    "element f_x params reference": "y_pred",
    "y b x2 truth other": "y_true",
    "x1": "y_pred",
    "y_true labels targets target multi_class_labels onehot_labels": "y_true",
    "y_pred predictions output log_input variable variables": "y_pred",
    "images image": "y_pred",
    "dtype": "'float32'",
    "shape": "(3, 5)",
    "axis": "-1",
    "axes": "[0]",
    "seed": "(1, 2)",
    "num_segments": "3",
    "fn f function func op": "tf.square",
    "elems xs": "y_pred",
    "delta max_delta": "0.1",
    "condition": "y_pred > 0.5",
    "mask": "y_pred[:, 0] > 0.5",
    "min_value x_min a_min clip_value_min": "0.2",
    "max_value x_max a_max clip_value_max": "0.7",
    "fill_value": "2.0",
    "k": "2",
    "n N num_rows": "3",
    "q": "0.5",
    "num_classes depth": "4",
    "block_size": "2",
    "clip_norm": "0.5",
    "window_length": "8",
    "message msg": "'message'",
    "values tup arys tensors arrays t_list": "[y_true, y_pred]",
    "rate": "0.5",
    "beta": "0.1",
    "start": "1",
    "stop": "4",
    "num": "4",
    "sp_input": "tf.sparse.from_dense(y_pred)",
    "max_val": "1.0",
    "axis1": "0",
    "axis2": "1",
    "source": "0",
    "destination": "-1",
    "shift": "1",
    "base": "2.0",
    "exp": "3.0",
    "num_samples": "4",
}
"""Parameter names: the argument that a required parameter of that name gets."""

RECIPES = """
matrix: {f}(y_true, y_pred); {f}(y_true, y_pred, from_logits=True): binary_crossentropy binary_focal_crossentropy categorical_crossentropy categorical_focal_crossentropy
labels: {f}(y_true, y_pred, 0.5): categorical_generalized_cross_entropy
labels: {f}()(y_true, y_pred): CategoricalGeneralizedCrossEntropy
fixed: {f}(y_pred): glu
matrix: {f}(y_pred, 0.1): tensorflow.image.adjust_gamma
matrix: {f}()(y_true, y_pred); {f}(reduction='sum')(y_true, y_pred); {f}(reduction='none')(y_true, y_pred): BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy CategoricalHinge CosineSimilarity Dice Hinge Huber KLD KLDivergence LogCosh MAE MAPE MSE MSLE MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson SquaredHinge Tversky
matrix: {f}(y_true, y_pred): keras.losses.MSE keras.losses.MAE keras.losses.MAPE keras.losses.MSLE keras.losses.KLD tensorflow.losses.MSE tensorflow.losses.MAE tensorflow.losses.MAPE tensorflow.losses.MSLE tensorflow.losses.KLD keras.metrics.MSE keras.metrics.MAE keras.metrics.MAPE keras.metrics.MSLE keras.metrics.KLD tensorflow.metrics.MSE tensorflow.metrics.MAE tensorflow.metrics.MAPE tensorflow.metrics.MSLE tensorflow.metrics.KLD
labels: {f}()(y_true, y_pred); {f}(from_logits=True, reduction='sum')(y_true, y_pred): keras.losses.SparseCategoricalCrossentropy tensorflow.losses.SparseCategoricalCrossentropy
labels: {f}()(y_true, tf.math.l2_normalize(y_pred, -1)): keras.losses.Circle tensorflow.losses.Circle
labels: {f}(y_true, y_pred); {f}(y_true, y_pred, from_logits=True): sparse_categorical_crossentropy
labels: {f}(y_true, tf.math.l2_normalize(y_pred, -1)): keras.losses.circle tensorflow.losses.circle sparse_categorical_accuracy sparse_top_k_categorical_accuracy
tokens: {f}(y_true, y_pred): keras.losses.ctc tensorflow.losses.ctc
tokens: {f}()(y_true, y_pred): keras.losses.CTC tensorflow.losses.CTC
matrix: {f}('mse')(y_true, y_pred): keras.losses.get tensorflow.losses.get
matrix: {f}('mean_squared_error')(y_true, y_pred): keras.losses.deserialize tensorflow.losses.deserialize
matrix: {f}('relu')(y_pred): keras.activations.get keras.activations.deserialize
matrix: {f}(keras.losses.MSE)(y_true, y_pred): LossFunctionWrapper
matrix: {f}(y_pred, 'float32'); {f}(y_pred > 0.5, 'float32'): cast saturate_cast
matrix: {f}(y_pred, tf.float32): tensorflow.saturate_cast tensorflow.dtypes.saturate_cast tensorflow.image.convert_image_dtype
matrix: {f}(y_pred > 0.5): reduce_all reduce_any any all logical_not
matrix: {f}(y_pred > 0.5, y_true > 0.5): logical_and logical_or logical_xor
matrix: {f}(y_true, y_pred): squared_difference pow xdivy xlogy xlog1py atan2 equal maximum
matrix: {f}(tf.cast(10.0 * y_true, tf.int32), tf.cast(10.0 * y_pred, tf.int32)): bitwise_and bitwise_or bitwise_xor left_shift right_shift bitwise_left_shift bitwise_right_shift gcd lcm
matrix: {f}(tf.cast(10.0 * y_pred, tf.int32)): invert bitwise_not bitwise_invert
matrix: {f}([y_true, y_pred]): add_n accumulate_n global_norm stack parallel_stack hstack dstack vstack group tuple identity_n shape_n
matrix: {f}([y_true, y_pred], axis=0); {f}([y_true, y_pred], axis=-1): concat concatenate stack
matrix: {f}(0.5, y_pred): tensorflow.math.scalar_mul tensorflow.scalar_mul
matrix: {f}([1.0, 2.0, 3.0], y_pred): polyval
matrix: {f}(y_pred, 0.2, 0.7): clip clip_by_value
matrix: {f}(y_pred, 0.5, 0.0): keras.activations.threshold keras.ops.threshold
matrix: {f}(y_pred, 2.0): keras.backend.pow
matrix: {f}(y_pred): normalize l2_normalize keras.utils.normalize
matrix: {f}(y_pred, y_true, transpose_b=True); {f}(y_pred, y_true, transpose_a=True): tensorflow.matmul tensorflow.linalg.matmul tensorflow.sparse_matmul
matrix: {f}(y_pred, tf.transpose(y_true)): keras.backend.dot keras.ops.matmul keras.ops.dot matmul dot
matrix: {f}(y_pred, y_true, axes=1): keras.backend.batch_dot
matrix: {f}('bi,bj->ij', y_pred, y_true); {f}('bi,bi->b', y_pred, y_true): einsum
matrix: {f}(y_pred, y_true, axes=[[1], [1]]): tensordot
matrix: {f}(y_pred, tf.transpose(y_true), 1): keras.ops.tensordot numpy.tensordot
squares: {f}(y_pred, y_true[:, 0]): matvec
squares: {f}(y_pred): inv det logdet slogdet matrix_inverse matrix_determinant matrix_transpose adjoint pinv eigvals eig lu qr svd expm trace diag_part matrix_diag_part matrix_rank eigvalsh eigh self_adjoint_eig self_adjoint_eigvals
squares: {f}(tf.matmul(y_pred, y_pred, transpose_b=True) + tf.eye(5)): cholesky cholesky_inverse sqrtm matrix_square_root
squares: {f}(y_pred + 5.0 * tf.eye(5), y_true): solve matrix_solve lstsq matrix_solve_ls triangular_solve matrix_triangular_solve cholesky_solve solve_triangular
squares: {f}(y_pred, 0, 0): band_part matrix_band_part
squares: {f}(y_pred, y_true[:, 0]): set_diag matrix_set_diag
matrix: {f}(y_pred): diag matrix_diag
squares: {f}(y_pred[0]): keras.ops.diag keras.ops.diagonal keras.ops.diagflat tensor_diag tensor_diag_part tensorflow.diag_part tensorflow.diag numpy.diag numpy.trace numpy.linalg.inv numpy.linalg.det numpy.linalg.pinv numpy.linalg.eig numpy.linalg.svd
matrix: {f}(y_pred, 2, axis=0): repeat keras.backend.repeat_elements
matrix: {f}(y_pred, 3): keras.backend.repeat
matrix: {f}(y_pred, [2, 1]): tile
matrix: {f}(y_pred, (-1,)); {f}(y_pred, (-1, 1)): reshape
matrix: {f}(y_pred, -1): expand_dims
matrix: {f}(y_pred[:, :1], axis=-1): squeeze
matrix: {f}(y_pred): transpose permute
matrix: {f}(y_pred, (1, 0)): permute_dimensions
matrix: {f}(y_pred, [[0, 0], [1, 2]]): pad
matrix: {f}(y_pred, [[0, 0], [1, 2]], 'constant'): tensorflow.experimental.numpy.pad
matrix: {f}(y_pred, 2): top_k
matrix: {f}(tf.cast(y_true[:, 0] * 3.0, tf.int32), y_pred, 2): tensorflow.math.in_top_k tensorflow.nn.in_top_k keras.ops.in_top_k
matrix: {f}(y_pred, tf.cast(y_true[:, 0] * 3.0, tf.int32), 2): keras.backend.in_top_k tensorflow.compat.v1.math.in_top_k
fixed: {f}(y_pred, 2, axis=1): split array_split
fixed: {f}(y_pred, 2): hsplit
fixed: {f}(y_pred, axis=1): unstack
matrix: {f}(y_pred, [0, 1]); {f}(y_pred, [0, 2], axis=1): tensorflow.gather take
matrix: {f}(y_pred, [0, 1]): keras.backend.gather embedding_lookup
matrix: {f}(y_pred, [[0, 1], [1, 0]]): gather_nd
matrix: {f}(y_pred, tf.zeros([tf.shape(y_pred)[0], 2], tf.int32), batch_dims=1): tensorflow.gather
matrix: {f}(y_pred, tf.argsort(y_pred, axis=-1), axis=-1): take_along_axis
matrix: {f}(y_pred, tf.argsort(y_pred, axis=-1)): batch_gather
matrix: {f}(y_pred, y_true[:, 0] > 0.5): tensorflow.boolean_mask
matrix: {f}(y_pred > 0.5, y_pred, y_true): where where_v2 select keras.backend.switch
matrix: {f}([y_pred > 0.5], [y_true]): keras.ops.select numpy.select tensorflow.experimental.numpy.select
matrix: {f}(tf.cast(y_true[:, 0] * 3.0, tf.int32), 4): one_hot
matrix: {f}(tf.cast(y_true[:, 0] * 3.0, tf.int32), 4): keras.utils.to_categorical keras.ops.multi_hot
labels: {f}(y_true, 3): multi_hot
labels: {f}(y_pred, tf.sort(y_true)): segment_sum segment_mean segment_max segment_min segment_prod
labels: {f}(y_pred, y_true, 3): unsorted_segment_sum unsorted_segment_mean unsorted_segment_max unsorted_segment_min unsorted_segment_prod unsorted_segment_sqrt_n keras.ops.segment_sum keras.ops.segment_max keras.ops.segment_min keras.ops.segment_prod
matrix: {f}([[0], [1]], y_pred[:2], tf.shape(y_pred)): scatter_nd
matrix: {f}(y_pred, [[0, 1], [1, 0]], [1.0, 2.0]): tensor_scatter_nd_add tensor_scatter_nd_sub tensor_scatter_nd_max tensor_scatter_nd_min tensor_scatter_nd_update tensor_scatter_add tensor_scatter_sub tensor_scatter_update keras.ops.scatter_update
matrix: {f}(y_pred, [0, 0], [1, 2]): tensorflow.slice keras.backend.slice keras.ops.slice
matrix: {f}(y_pred, [0, 0], y_true[:1]): slice_update
matrix: {f}(y_pred, [0, 0], [1, 2]): strided_slice
matrix: {f}(tf.cast(y_true[:, 0] * 4.0, tf.int32), 5): sequence_mask
matrix: {f}(y_pred, 1, axis=0); {f}(y_pred, 1, axis=-1): roll
matrix: {f}(y_pred, [0]): reverse_v2 tensorflow.reverse
matrix: {f}(y_pred, 0); {f}(y_pred, -1): keras.backend.reverse
matrix: {f}(y_pred[:1], tf.shape(y_true)): tensorflow.broadcast_to
matrix: {f}(tf.shape(y_pred), tf.shape(y_true)): broadcast_dynamic_shape
matrix: {f}(y_pred.shape, y_true.shape): broadcast_static_shape
matrix: {f}(tf.shape(y_pred), 1.5): fill
matrix: {f}(tf.shape(y_pred)): zeros ones tensorflow.random.normal tensorflow.random.uniform tensorflow.random.truncated_normal random_normal random_uniform truncated_normal
fixed: {f}(y_pred[:1], (4, 6)): keras.ops.broadcast_to numpy.broadcast_to tensorflow.experimental.numpy.broadcast_to
matrix: {f}((3, 5)): numpy.zeros numpy.ones keras.ops.zeros keras.ops.ones tensorflow.experimental.numpy.zeros tensorflow.experimental.numpy.ones keras.random.normal keras.random.uniform keras.random.truncated_normal
matrix: {f}(tf.shape(y_pred)[0]): range eye arange
matrix: {f}(4): numpy.arange numpy.eye numpy.identity keras.ops.arange keras.ops.eye keras.ops.identity
matrix: {f}([1.0, 2.0, 3.0]); {f}(2.0): constant
matrix: {f}(y_pred); {f}(2.0): convert_to_tensor
matrix: {f}(0.0, 1.0, 5): linspace lin_space
vector: {f}(y_pred, y_true): meshgrid
matrix: {f}(tf.square, y_pred): map_fn vectorized_map tensorflow.vectorized_map keras.ops.map keras.ops.vectorized_map
matrix: {f}(lambda a, x: a + x, y_pred): foldl foldr tensorflow.scan
matrix: {f}(tf.reduce_mean(y_pred) > 0.5, lambda: y_pred, lambda: y_true): cond
matrix: {f}(lambda i, x: i < 3, lambda i, x: (i + 1, x + y_pred), (0, y_true)): while_loop
matrix: {f}([(tf.reduce_mean(y_pred) > 0.5, lambda: y_pred)], default=lambda: y_true): tensorflow.case
matrix: {f}(0, [lambda: y_pred, lambda: y_true]): switch_case keras.ops.switch
matrix: {f}(y_pred, 'a message'): check_numerics assert_all_finite verify_tensor_all_finite
matrix: {f}(y_pred, [None, None]): ensure_shape
matrix: {f}(y_pred, y_pred): assert_equal assert_near assert_less_equal assert_greater_equal
matrix: {f}(y_pred, y_pred + 1.0): assert_less assert_none_equal
matrix: {f}(y_pred + 1.0, y_pred): assert_greater
matrix: {f}(y_pred, 2): assert_rank assert_rank_at_least
matrix: {f}(y_pred, [2, 3]): assert_rank_in
matrix: {f}(tf.abs(y_pred)): assert_non_negative
matrix: {f}(tf.abs(y_pred) + 1.0): assert_positive
matrix: {f}(-tf.abs(y_pred)): assert_non_positive
matrix: {f}(-tf.abs(y_pred) - 1.0): assert_negative
matrix: {f}(tf.shape(y_pred)): assert_integer
matrix: {f}(tf.reduce_sum(y_pred)): assert_scalar
matrix: {f}(y_true, y_pred): sigmoid_cross_entropy huber_loss log_loss absolute_difference hinge_loss mean_pairwise_squared_error softmax_cross_entropy mean_squared_error log_poisson_loss
matrix: {f}(y_true, y_pred, axis=-1): cosine_distance
labels: {f}(y_true, y_pred): sparse_softmax_cross_entropy
labels: {f}(labels=y_true, logits=y_pred): sparse_softmax_cross_entropy_with_logits
matrix: {f}(labels=y_true, logits=y_pred): softmax_cross_entropy_with_logits sigmoid_cross_entropy_with_logits softmax_cross_entropy_with_logits_v2
matrix: {f}(y_true, y_pred, 2.0): weighted_cross_entropy_with_logits
matrix: {f}(y_pred); {f}(y_pred, 0.5): compute_weighted_loss
matrix: {f}(y_pred): compute_average_loss
matrix: {f}(tf.reduce_sum(y_pred)): scale_regularization_loss
matrix: {f}(y_pred, [0]); {f}(y_pred, [-1]): moments keras.ops.moments sufficient_statistics
matrix: {f}(y_pred, [0], y_true): weighted_moments
matrix: {f}(y_pred, 0.1, 0.9, 0.2, 1.5, 0.001): tensorflow.nn.batch_normalization
matrix: {f}(y_pred, 0.1, 0.9, 0.2, 1.5): keras.backend.batch_normalization
fixed: {f}(y_pred, tf.ones([6]), tf.ones([6]), -1): keras.ops.batch_normalization
fixed: {f}(y_pred, tf.ones([6])): bias_add
matrix: {f}(y_pred, 0.5): dropout
image: {f}(y_pred, tf.ones([2, 3, 3, 4]), strides=1, padding='SAME'): tensorflow.nn.conv2d
image: {f}(y_pred, tf.ones([2, 3, 3, 4]), [1, 1, 1, 1], 'SAME'): depthwise_conv2d depthwise_conv2d_native
image: {f}(y_pred, tf.ones([2, 3, 3, 4])): keras.backend.conv2d keras.ops.conv
image: {f}(y_pred, tf.ones([2, 3, 3, 1])): keras.backend.depthwise_conv2d keras.ops.depthwise_conv
image: {f}(y_pred, tf.ones([2, 3, 3, 1]), tf.ones([1, 1, 3, 4])): keras.backend.separable_conv2d keras.ops.separable_conv
image: {f}(y_pred, tf.ones([2, 3, 3, 1]), tf.ones([1, 1, 3, 4]), [1, 1, 1, 1], 'SAME'): tensorflow.nn.separable_conv2d
image: {f}(y_pred, tf.ones([2, 3, 3, 4])): convolution
image: {f}(y_pred, 2, 2, 'SAME'): avg_pool max_pool avg_pool2d max_pool2d max_pool_with_argmax avg_pool_v2 max_pool_v2
image: {f}(y_pred, [1, 2, 2, 1], [1, 2, 2, 1], 'VALID'): tensorflow.nn.max_pool
image: {f}(y_pred, (2, 2)): keras.backend.pool2d keras.ops.average_pool keras.ops.max_pool
image: {f}(y_pred, [2, 2], 'AVG'): tensorflow.nn.pool
steps: {f}(y_pred, 2, 2, 'SAME'): avg_pool1d max_pool1d
volume: {f}(y_pred, 2, 2, 'SAME'): avg_pool3d max_pool3d
volume: {f}(y_pred, (2, 2, 2)): keras.backend.pool3d
volume: {f}(y_pred, tf.ones([2, 2, 2, 3, 4]), [1, 1, 1, 1, 1], 'SAME'): tensorflow.nn.conv3d
volume: {f}(y_pred, tf.ones([2, 2, 2, 3, 4])): keras.backend.conv3d
steps: {f}(y_pred, tf.ones([2, 3, 4])): keras.backend.conv1d
steps: {f}(y_pred, tf.ones([2, 3, 4]), 1, 'SAME'): tensorflow.nn.conv1d
pixels: {f}(y_pred): image_gradients total_variation flip_left_right flip_up_down rot90 per_image_standardization sobel_edges rgb_to_grayscale rgb_to_hsv hsv_to_rgb rgb_to_yuv yuv_to_rgb rgb_to_yiq yiq_to_rgb tensorflow.image.transpose transpose_image
pixels: {f}(y_pred[..., :1]): grayscale_to_rgb
image: {f}(y_true, y_pred, 1.0): tensorflow.image.ssim
image: {f}(y_true, y_pred): keras.ops.image.ssim
image: {f}(y_true, y_pred, 1.0, filter_size=3, power_factors=[0.5, 0.5]): ssim_multiscale
pixels: {f}(y_true, y_pred, 1.0): psnr
pixels: {f}(y_pred, 0.5): adjust_contrast adjust_brightness adjust_saturation adjust_hue central_crop
pixels: {f}(y_pred, [4, 6]): resize resize_area resize_bicubic resize_bilinear resize_images resize_nearest_neighbor
pixels: {f}(y_pred, 4, 6): resize_with_pad resize_with_crop_or_pad resize_image_with_pad resize_image_with_crop_or_pad
image: {f}(y_pred, 1, 2, 4, 5): crop_to_bounding_box
image: {f}(y_pred, 1, 2, 20, 21): pad_to_bounding_box
image: {f}(y_pred, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], 'SAME'): tensorflow.image.extract_patches
image: {f}(y_pred[:, :12, :10], 2): space_to_depth
image: {f}(tf.concat([y_pred, y_pred, y_pred, y_pred], -1), 2): depth_to_space
image: {f}(y_pred): local_response_normalization lrn
image: {f}(y_pred, 2, 2, 'channels_last'): keras.backend.resize_images
pixels: {f}(y_pred): spatial_2d_padding
volume: {f}(y_pred): spatial_3d_padding
volume: {f}(y_pred): tensorflow.signal.rfft3d tensorflow.spectral.rfft3d
volume: {f}(tf.complex(y_pred, y_true)): fft3d ifft3d irfft3d
squares: {f}(tf.complex(y_pred, y_true)): irfft2d
steps: {f}(y_pred, y_true): cross
matrix: {f}(tf.argsort(y_pred[0])): invert_permutation
pixels: {f}(y_pred): random_flip_left_right random_flip_up_down
pixels: {f}(y_pred, 0.1): random_hue random_brightness
pixels: {f}(y_pred, (1, 2)): stateless_random_flip_left_right stateless_random_flip_up_down
pixels: {f}(y_pred, 0.1, (1, 2)): stateless_random_hue stateless_random_brightness
pixels: {f}(y_pred, 0.5, 1.5): random_contrast random_saturation
pixels: {f}(y_pred, 0.5, 1.5, (1, 2)): stateless_random_contrast stateless_random_saturation
image: {f}(y_pred, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], 'SAME'): extract_image_patches
matrix: {f}(tf.constant(0), [lambda: y_pred, lambda: y_true]): tensorflow.switch_case
matrix: {f}(): epsilon floatx image_data_format executing_eagerly keras.backend.backend keras.config.backend
matrix: {f}(tf.square, y_pred): tensorflow.nest.map_structure keras.tree.map_structure
matrix: {f}([y_true, [y_pred]]): tensorflow.nest.flatten keras.tree.flatten
matrix: {f}(y_pred, 1): arg_max arg_min
matrix: {f}(input=y_pred); {f}(input=y_pred, axis=0): tensorflow.count_nonzero
matrix: {f}((3, 5), (1, 2)): stateless_normal stateless_uniform stateless_truncated_normal
image: {f}(y_pred, tf.ones([2, 2, 4, 3]), (y_pred.shape[0], 26, 22, 4), (2, 2)): keras.backend.conv2d_transpose
image: {f}(y_pred, tf.ones([2, 2, 4, 3]), (y_pred.shape[0], 26, 22, 4), 2): tensorflow.nn.conv2d_transpose
fixed: {f}(y_pred, tf.ones([6, 4]), tf.ones([4])): xw_plus_b relu_layer
matrix: {f}(y_pred, 0.0, 1.0): quantize_and_dequantize quantize_and_dequantize_v2 fake_quant_with_min_max_vars
signal: {f}(y_pred[:, None], 8): overlap_and_add
matrix: {f}(8): hann_window hamming_window kaiser_window vorbis_window kaiser_bessel_derived_window bartlett blackman hamming hanning
labels: {f}([[0, 1], [2]], [y_pred[:2], y_pred[:1]]): dynamic_stitch
sequence: {f}(y_pred): temporal_padding
signal: {f}(y_pred, 16, 8): tensorflow.signal.stft tensorflow.signal.frame
signal: {f}(tf.complex(y_pred, y_true)): fft ifft tensorflow.fft tensorflow.ifft
signal: {f}(y_pred): rfft dct
signal: {f}(tf.signal.rfft(y_pred)): irfft
squares: {f}(tf.complex(y_pred, y_true)): fft2d ifft2d
squares: {f}(y_pred): rfft2d
matrix: {f}(tf.complex(y_pred, y_true)): real imag conj angle conjugate
matrix: {f}(y_pred, y_true): complex
matrix: {f}(tf.sparse.from_dense(y_pred)): tensorflow.sparse.to_dense sparse_tensor_to_dense sparse_reduce_sum sparse_reduce_max tensorflow.sparse.reduce_sum tensorflow.sparse.reduce_max
matrix: tf.sparse.to_dense({f}(y_pred)): tensorflow.sparse.from_dense
matrix: {f}(tf.sparse.from_dense(y_pred), tf.transpose(y_true)): sparse_dense_matmul sparse_tensor_dense_matmul tensorflow.sparse.matmul
matrix: tf.sparse.to_dense({f}(tf.sparse.from_dense(y_pred))): tensorflow.sparse.transpose sparse_transpose tensorflow.sparse.reorder sparse_reorder
matrix: tf.sparse.to_dense({f}([[0, 1]], [1.0], [3, 5])): SparseTensor
labels: {f}(y_true, tf.argmax(y_pred, -1), num_classes=8): confusion_matrix
matrix: {f}(y_pred, [0.0, 1.0]): histogram_fixed_width histogram_fixed_width_bins
labels: {f}(y_true): bincount
vector: {f}(y_pred): unique unique_with_counts
matrix: {f}(tf.sort(y_pred, -1), y_true): searchsorted
matrix: {f}(y_pred > 0.5): argwhere nonzero flatnonzero
matrix: {f}(lambda x: x * 2.0, [y_pred], tf.float32): py_func py_function numpy_function
matrix: {f}(lambda x: x * 2.0)(y_pred): tensorflow.function recompute_grad grad_pass_through tensorflow.autograph.to_graph do_not_convert
matrix: {f}(0.0, 0.5, (3, 5)): numpy.random.normal numpy.random.uniform
matrix: {f}(3, 5): numpy.random.rand numpy.random.randn
matrix: {f}(y_pred, lambda: y_true): smart_cond
matrix: y_pred * (3.0 + {f}(0.5)): math.acos math.asin math.atan math.atanh math.ceil math.cos math.cosh math.degrees math.erf math.erfc math.exp math.expm1 math.fabs math.floor math.gamma math.isfinite math.isinf math.isnan math.lgamma math.log math.log10 math.log1p math.log2 math.radians math.sin math.sinh math.sqrt math.tan math.tanh math.trunc math.asinh
matrix: y_pred * {f}(1.5): math.acosh
matrix: y_pred * (1.0 + {f}(2.5, 0.5)): math.atan2 math.copysign math.fmod math.hypot math.isclose math.pow
matrix: y_pred * {f}(12, 8): math.gcd math.comb
matrix: y_pred * {f}(4): math.factorial
matrix: y_pred * {f}([0.5, 1.5]): math.fsum math.prod
matrix: {f}(0.5): builtins.float builtins.int builtins.bool
matrix: {f}(y_pred): builtins.abs
matrix: {f}(y_pred, 2): builtins.pow
matrix: {f}('float32'): standardize_dtype
matrix: {f}(y_pred, y_true): in_train_phase in_test_phase
matrix: {f}(0.01)(y_pred): keras.regularizers.L1 keras.regularizers.L2 keras.regularizers.l1 keras.regularizers.l2 keras.regularizers.L1L2 keras.regularizers.l1_l2
matrix: {f}('l2')(y_pred): keras.regularizers.get keras.regularizers.deserialize
matrix: {f}(0.1)(y_pred): keras.regularizers.OrthogonalRegularizer keras.regularizers.orthogonal_regularizer
fixed: {f}(4)(y_pred): keras.layers.Dense
fixed: {f}('relu')(y_pred): keras.layers.Activation
image: {f}(4, 3)(y_pred): keras.layers.Conv2D keras.layers.Conv2DTranspose keras.layers.SeparableConv2D keras.layers.Convolution2D keras.layers.Convolution2DTranspose keras.layers.SeparableConvolution2D
image: {f}(3)(y_pred): keras.layers.DepthwiseConv2D
image: {f}(2)(y_pred): keras.layers.AveragePooling2D keras.layers.AvgPool2D keras.layers.MaxPooling2D keras.layers.MaxPool2D
image: {f}()(y_pred): keras.layers.GlobalAveragePooling2D keras.layers.GlobalAvgPool2D keras.layers.GlobalMaxPooling2D keras.layers.GlobalMaxPool2D keras.layers.UpSampling2D keras.layers.ZeroPadding2D keras.layers.Cropping2D keras.layers.Flatten keras.layers.BatchNormalization
steps: {f}(4, 3)(y_pred): keras.layers.Conv1D keras.layers.Conv1DTranspose keras.layers.SeparableConv1D keras.layers.Convolution1D
steps: {f}(2)(y_pred): keras.layers.AveragePooling1D keras.layers.AvgPool1D keras.layers.MaxPooling1D keras.layers.MaxPool1D keras.layers.UpSampling1D
steps: {f}()(y_pred): keras.layers.GlobalAveragePooling1D keras.layers.GlobalAvgPool1D keras.layers.GlobalMaxPooling1D keras.layers.GlobalMaxPool1D keras.layers.ZeroPadding1D keras.layers.Cropping1D
steps: {f}(4)(y_pred): keras.layers.LSTM keras.layers.GRU keras.layers.SimpleRNN
fixed: {f}()(y_pred): keras.layers.ReLU keras.layers.LeakyReLU keras.layers.ELU keras.layers.PReLU keras.layers.Softmax keras.layers.LayerNormalization keras.layers.UnitNormalization keras.layers.Identity
fixed: {f}([y_true, y_pred], axes=1): keras.layers.dot
fixed: {f}((2, 3))(y_pred): keras.layers.Reshape
pixels: {f}(y_pred): gaussian_blur elastic_transform
vector: {f}(y_pred): vander keras.ops.histogram numpy.histogram
vector: {f}(y_pred, y_true): convolve correlate
vector: {f}(tf.sort(y_pred), y_true): keras.ops.searchsorted numpy.searchsorted
matrix: {f}((y_pred, y_true)): keras.ops.fft keras.ops.irfft
squares: {f}((y_pred, y_true)): keras.ops.fft2 keras.ops.ifft2
squares: {f}(y_pred): lu_factor
matrix: {f}([[0, 1], [1, 0]], y_true[0, :2], (4, 5)): keras.ops.scatter
fixed: {f}(0.5)(y_pred): keras.layers.Dropout keras.layers.GaussianNoise keras.layers.GaussianDropout keras.layers.Rescaling keras.layers.AlphaDropout
fixed: {f}(2)(y_pred): keras.layers.RepeatVector
fixed: {f}()([y_true, y_pred]): keras.layers.Add keras.layers.Average keras.layers.Maximum keras.layers.Minimum keras.layers.Multiply keras.layers.Subtract keras.layers.Concatenate
fixed: {f}(axes=1)([y_true, y_pred]): keras.layers.Dot
fixed: {f}([y_true, y_pred]): keras.layers.add keras.layers.average keras.layers.maximum keras.layers.minimum keras.layers.multiply keras.layers.subtract keras.layers.concatenate
fixed: {f}(tf.square)(y_pred): keras.layers.Lambda
matrix: with {f}('name'): name_scope
matrix: with {f}([y_pred]): control_dependencies
matrix: with {f}('/cpu:0'): tensorflow.device
matrix: {f}('losses', y_pred): add_to_collection
matrix: {f}(): in_cross_replica_context has_strategy inside_function no_op
image: {f}(y_pred, 4): adaptive_average_pool adaptive_max_pool
image: {f}(y_pred, tf.ones([2, 2, 4, 3])): keras.ops.conv_transpose
matrix: {f}(y_pred, [0.2, 0.5]): digitize
matrix: {f}((3, 5), 0.5): full
matrix: {f}((3, 5)): empty
matrix: {f}(y_pred, 0): get_item
matrix: {f}(y_pred, y_true): polar
matrix: {f}(3): tri tensorflow.experimental.numpy.identity keras.ops.numpy.identity
matrix: {f}(0, 3, lambda i, x: x + y_pred, y_true): fori_loop
matrix: {f}(lambda a, x: (a + x, x), tf.zeros([y_pred.shape[1]]), y_pred): keras.ops.scan keras.ops.core.scan
matrix: {f}(lambda x: (tf.square(x), lambda g: g))(y_pred): keras.ops.custom_gradient keras.ops.core.custom_gradient tensorflow.custom_gradient
steps: {f}(y_pred[:, :, None], y_true[:, :, None], y_pred[:, :, None]): dot_product_attention
signal: {f}(y_pred, 16, 8): extract_sequences
signal: {f}(y_pred, 16, 8, 16): keras.ops.stft keras.ops.math.stft
pixels: {f}(y_pred, (2, 2)): keras.ops.image.extract_patches
image: {f}(y_pred, 2): unfold
image: {f}(y_pred, (2, 2)): keras.ops.nn.average_pool
image: {f}(y_pred, tf.ones([2, 3, 3, 4])): keras.ops.nn.conv
image: {f}(y_pred, tf.ones([2, 3, 3, 1])): keras.ops.nn.depthwise_conv
fixed: {f}(y_pred, tf.ones([6]), tf.ones([6]), -1): keras.ops.nn.batch_normalization
matrix: {f}(y_pred, 0.5, 0.0): keras.ops.nn.threshold
matrix: {f}(y_pred, y_true): array_equal
matrix: {f}(y_pred): atleast_1d atleast_2d atleast_3d
vector: {f}(y_pred, [0.0, 1.0], [0.0, 2.0]): interp
matrix: {f}(y_pred, [0.0, 1.0]): isin
matrix: {f}(y_pred, 'int32'): bitcast
labels: {f}(y_pred, y_true, 2): tensorflow.dynamic_partition
image: {f}(y_pred, tf.ones([2, 3, 3, 4]), 2, 'SAME'): tensorflow.nn.atrous_conv2d
matrix: {f}([3], 2.0): tensorflow.random.gamma tensorflow.random.poisson
matrix: {f}((3, 5), 0, 4): keras.random.randint
matrix: {f}((3, 5), 0.5): keras.random.gamma
matrix: {f}((3, 5), 0.5, 0.5): keras.random.beta
matrix: {f}((3, 5)): random_bernoulli
sequence: {f}(y_pred, tf.zeros([tf.shape(y_pred)[0]], tf.int32), seq_axis=1): tensorflow.reverse_sequence
matrix: {f}([[0, 1], [1, 0]], (3, 5), [1.0, 2.0]): sparse_to_dense
matrix: {f}(tf.argmax(y_pred, -1), (3, 5)): unravel_index
matrix: {f}(y_pred): keras.ops.stop_gradient
pixels: {f}(y_pred, 1, 1, target_height=3, target_width=3): keras.ops.image.crop_images
pixels: {f}(y_pred, 1, 1, 2, 2): keras.ops.image.pad_images
matrix: {f}(y_pred, tf.cast(y_true * 3.0, tf.int32)): ldexp
squares: {f}(y_pred[0] + 5.0 * tf.eye(5), y_true[0]): keras.ops.lstsq keras.ops.linalg.lstsq numpy.linalg.lstsq
matrix: {f}((y_pred, y_true)): keras.ops.math.fft keras.ops.math.irfft
squares: {f}((y_pred, y_true)): keras.ops.math.fft2 keras.ops.math.ifft2
matrix: {f}(tf.cast(y_true[:, 0] * 3.0, tf.int32), y_pred, 2): keras.ops.math.in_top_k
matrix: {f}(tf.stack([y_true, y_pred], -1)): view_as_complex
fixed: {f}(y_pred[:1], (4, 6)): keras.ops.numpy.broadcast_to
vector: {f}(tf.sort(y_pred), y_true): keras.ops.numpy.searchsorted
matrix: {f}([y_pred > 0.5], [y_true]): keras.ops.numpy.select
"""
