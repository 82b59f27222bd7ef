"""Why some catalogued names are not called; each of those counts as unknown in all columns."""

from __future__ import annotations

import functools

PLACES = {
    "keras.initializers. tensorflow.initializers.": "makes the first values of a variable",
    "tensorflow.distributions. tensorflow_probability.": "makes a distribution, an object",
    "tensorflow.optimizers. tensorflow.contrib.": "makes an object that is no value of a loss",
    "tensorflow.ragged. tensorflow.RaggedTensor": "works on ragged tensors, which have no one shape",
    "tensorflow.strings. tensorflow.string": "works on strings",
    "keras.layers.": "a layer: draws its weights anew at every call",
    "keras.utils.": "no value of a loss",
    "numpy.random.": "draws numbers by NumPy, at the time of tracing",
    "tensorflow.summary. tensorflow.logging. tensorflow.profiler. tensorflow.config. tensorflow.train.": "writes logs or sets up the process",
    "keras.optimizers. keras.optimizer_v2. keras.mixed_precision. keras.callbacks. keras.models. keras.engine. keras.saving. keras.experimental.": "makes an object that is no value of a loss",
    "keras.applications.": "downloads or builds a whole network",
}
"""Names that start so are not called, unless they have a recipe of their own."""

NAMES: dict[str, str] = {
    "takes too long for every input of the test": "ctc CTC ctc_loss ctc_loss_v2 ctc_batch_cost keras.layers.GRU keras.layers.LSTM keras.layers.SimpleRNN",
    "prints": "print Print print_tensor",
    "changes the state of the process": "set_epsilon set_floatx set_image_data_format set_learning_phase set_session "
    "manual_variable_initialization learning_phase_scope learning_phase enable_check_numerics disable_check_numerics "
    "disable_eager_execution enable_eager_execution disable_v2_behavior enable_v2_behavior reset_default_graph "
    "clear_session reset_uids set_seed set_random_seed numpy.random.seed numpy.random.set_state numpy.random.shuffle "
    "batch_set_value set_value keras.backend.update keras.backend.update_add keras.backend.update_sub "
    "moving_average_update run_functions_eagerly set_visible_devices set_memory_growth set_global_policy",
    "keeps state from one batch to the next": "keras.metrics.AUC keras.metrics.Accuracy keras.metrics.BinaryAccuracy keras.metrics.BinaryIoU "
    "keras.metrics.CategoricalAccuracy keras.metrics.ConcordanceCorrelation keras.metrics.F1Score "
    "keras.metrics.FBetaScore keras.metrics.FalseNegatives keras.metrics.FalsePositives keras.metrics.IoU "
    "keras.metrics.LogCoshError keras.metrics.Mean keras.metrics.MeanIoU keras.metrics.MeanMetricWrapper "
    "keras.metrics.MeanRelativeError keras.metrics.MeanTensor keras.metrics.OneHotIoU "
    "keras.metrics.OneHotMeanIoU keras.metrics.PearsonCorrelation keras.metrics.Precision "
    "keras.metrics.PrecisionAtRecall keras.metrics.R2Score keras.metrics.Recall "
    "keras.metrics.RecallAtPrecision keras.metrics.RootMeanSquaredError "
    "keras.metrics.SensitivityAtSpecificity keras.metrics.SparseCategoricalAccuracy "
    "keras.metrics.SparseCategoricalCrossentropy keras.metrics.SparseTopKCategoricalAccuracy "
    "keras.metrics.SpecificityAtSensitivity keras.metrics.Sum keras.metrics.TopKCategoricalAccuracy "
    "keras.metrics.TrueNegatives keras.metrics.TruePositives keras.metrics.deserialize keras.metrics.get "
    "keras.metrics.serialize tensorflow.metrics.AUC tensorflow.metrics.Accuracy "
    "tensorflow.metrics.BinaryAccuracy tensorflow.metrics.BinaryIoU "
    "tensorflow.metrics.CategoricalAccuracy tensorflow.metrics.ConcordanceCorrelation "
    "tensorflow.metrics.F1Score tensorflow.metrics.FBetaScore tensorflow.metrics.FalseNegatives "
    "tensorflow.metrics.FalsePositives tensorflow.metrics.IoU tensorflow.metrics.LogCoshError "
    "tensorflow.metrics.Mean tensorflow.metrics.MeanIoU tensorflow.metrics.MeanMetricWrapper "
    "tensorflow.metrics.OneHotIoU tensorflow.metrics.OneHotMeanIoU tensorflow.metrics.PearsonCorrelation "
    "tensorflow.metrics.Precision tensorflow.metrics.PrecisionAtRecall tensorflow.metrics.R2Score "
    "tensorflow.metrics.Recall tensorflow.metrics.RecallAtPrecision "
    "tensorflow.metrics.RootMeanSquaredError tensorflow.metrics.SensitivityAtSpecificity "
    "tensorflow.metrics.SparseCategoricalAccuracy tensorflow.metrics.SparseCategoricalCrossentropy "
    "tensorflow.metrics.SparseTopKCategoricalAccuracy tensorflow.metrics.SpecificityAtSensitivity "
    "tensorflow.metrics.Sum tensorflow.metrics.TopKCategoricalAccuracy tensorflow.metrics.TrueNegatives "
    "tensorflow.metrics.TruePositives tensorflow.metrics.deserialize tensorflow.metrics.get "
    "tensorflow.metrics.serialize",
    "a data type": "keras.backend.common.is_float_dtype keras.backend.common.is_int_dtype "
    "keras.backend.common.result_type keras.backend.is_float_dtype keras.backend.is_int_dtype "
    "keras.backend.result_type keras.ops.math.result_type keras.ops.result_type numpy.finfo numpy.float16 "
    "numpy.bool numpy.float32 numpy.float64 numpy.iinfo numpy.int16 numpy.int32 numpy.int64 numpy.int8 numpy.uint16 "
    "numpy.uint32 numpy.uint64 numpy.uint8 tensorflow.TensorShape tensorflow.as_dtype "
    "tensorflow.dtypes.as_dtype tensorflow.experimental.numpy.finfo tensorflow.experimental.numpy.float16 "
    "tensorflow.experimental.numpy.float32 tensorflow.experimental.numpy.float64 "
    "tensorflow.experimental.numpy.float_ tensorflow.experimental.numpy.int16 "
    "tensorflow.experimental.numpy.int32 tensorflow.experimental.numpy.int64 "
    "tensorflow.experimental.numpy.int8 tensorflow.experimental.numpy.uint16 "
    "tensorflow.experimental.numpy.uint32 tensorflow.experimental.numpy.uint64 "
    "tensorflow.experimental.numpy.uint8",
    "needs a TensorFlow 1 graph or session, or changes variables": "keras.backend.Variable keras.backend.function keras.backend.get_uid keras.backend.gradients "
    "keras.backend.placeholder keras.backend.random_normal_variable keras.backend.random_uniform_variable "
    "keras.backend.rnn keras.ops.core.scatter_update tensorflow.Graph tensorflow.IndexedSlices "
    "tensorflow.InteractiveSession tensorflow.RegisterGradient tensorflow.Session tensorflow.TensorArray "
    "tensorflow.Variable tensorflow.all_variables tensorflow.assign tensorflow.assign_add "
    "tensorflow.assign_sub tensorflow.colocate_with tensorflow.compat.v1.assign tensorflow.get_collection "
    "tensorflow.get_collection_ref tensorflow.get_default_graph tensorflow.get_default_session "
    "tensorflow.get_variable tensorflow.get_variable_scope tensorflow.global_variables "
    "tensorflow.global_variables_initializer tensorflow.gradients tensorflow.hessians "
    "tensorflow.init_scope tensorflow.initialize_all_tables tensorflow.initialize_all_variables "
    "tensorflow.initialize_local_variables tensorflow.initialize_variables tensorflow.local_variables "
    "tensorflow.local_variables_initializer tensorflow.losses.add_loss tensorflow.losses.get_losses "
    "tensorflow.losses.get_regularization_loss tensorflow.losses.get_regularization_losses "
    "tensorflow.losses.get_total_loss tensorflow.model_variables tensorflow.moving_average_variables "
    "tensorflow.nn.bidirectional_dynamic_rnn tensorflow.nn.dynamic_rnn tensorflow.nn.raw_rnn "
    "tensorflow.nn.static_bidirectional_rnn tensorflow.nn.static_rnn "
    "tensorflow.nn.static_state_saving_rnn tensorflow.no_gradient "
    "tensorflow.nondifferentiable_batch_function tensorflow.op_scope tensorflow.placeholder "
    "tensorflow.report_uninitialized_variables tensorflow.scatter_add tensorflow.scatter_sub "
    "tensorflow.scatter_update tensorflow.sparse_placeholder tensorflow.tables_initializer "
    "tensorflow.trainable_variables tensorflow.variable_creator_scope tensorflow.variable_op_scope "
    "tensorflow.variable_scope tensorflow.variables_initializer tensorflow.wrap_function "
    "tensorflow.xla.experimental.jit_scope",
    "works on boxes, or reads or writes images": "keras.ops.image.affine_transform keras.ops.image.extract_patches_3d keras.ops.image.map_coordinates "
    "keras.ops.image.perspective_transform keras.ops.image.scale_and_translate "
    "tensorflow.image.adjust_jpeg_quality tensorflow.image.combined_non_max_suppression "
    "tensorflow.image.crop_and_resize tensorflow.image.decode_and_crop_jpeg tensorflow.image.decode_bmp "
    "tensorflow.image.decode_gif tensorflow.image.decode_image tensorflow.image.decode_jpeg "
    "tensorflow.image.decode_jxl tensorflow.image.decode_png tensorflow.image.decode_webp "
    "tensorflow.image.draw_bounding_boxes tensorflow.image.extract_glimpse "
    "tensorflow.image.extract_jpeg_shape tensorflow.image.generate_bounding_box_proposals "
    "tensorflow.image.is_jpeg tensorflow.image.non_max_suppression "
    "tensorflow.image.non_max_suppression_overlaps tensorflow.image.non_max_suppression_padded "
    "tensorflow.image.non_max_suppression_with_scores tensorflow.image.random_crop "
    "tensorflow.image.random_jpeg_quality tensorflow.image.sample_distorted_bounding_box "
    "tensorflow.image.stateless_random_crop tensorflow.image.stateless_random_jpeg_quality "
    "tensorflow.image.stateless_sample_distorted_bounding_box",
    "reads or decodes files": "numpy.frombuffer numpy.fromfile numpy.genfromtxt numpy.load numpy.loadtxt tensorflow.decode_raw "
    "tensorflow.io.decode_raw tensorflow.io.read_file tensorflow.load_op_library tensorflow.read_file",
    "draws candidates or numbers": "keras.backend.random_binomial keras.random.SeedGenerator keras.random.binomial "
    "tensorflow.math.sobol_sample tensorflow.nn.all_candidate_sampler "
    "tensorflow.nn.compute_accidental_hits tensorflow.nn.fixed_unigram_candidate_sampler "
    "tensorflow.nn.learned_unigram_candidate_sampler tensorflow.nn.log_uniform_candidate_sampler "
    "tensorflow.nn.nce_loss tensorflow.nn.sampled_softmax_loss tensorflow.nn.uniform_candidate_sampler "
    "tensorflow.random.all_candidate_sampler tensorflow.random.create_rng_state "
    "tensorflow.random.fixed_unigram_candidate_sampler "
    "tensorflow.random.learned_unigram_candidate_sampler tensorflow.random.log_uniform_candidate_sampler "
    "tensorflow.random.stateless_binomial tensorflow.random.stateless_gamma "
    "tensorflow.random.stateless_parameterized_truncated_normal tensorflow.random.stateless_poisson "
    "tensorflow.random.uniform_candidate_sampler tensorflow.random_crop tensorflow.random_gamma "
    "tensorflow.random_index_shuffle tensorflow.random_poisson",
    "works on sparse tensors": "keras.backend.ctc_label_dense_to_sparse tensorflow.nn.embedding_lookup_sparse "
    "tensorflow.nn.safe_embedding_lookup_sparse tensorflow.sparse.fill_empty_rows "
    "tensorflow.sparse.map_values tensorflow.sparse.mask tensorflow.sparse.minimum "
    "tensorflow.sparse.retain tensorflow.sparse.sampled_addmm tensorflow.sparse.segment_sqrt_n "
    "tensorflow.sparse.slice tensorflow.sparse.to_indicator tensorflow.sparse_concat "
    "tensorflow.sparse_retain tensorflow.sparse_segment_mean tensorflow.sparse_segment_sum "
    "tensorflow.sparse_slice",
    "works on quantized numbers": "tensorflow.nn.quantized_conv2d tensorflow.nn.quantized_relu_x tensorflow.quantization.dequantize "
    "tensorflow.quantization.fake_quant_with_min_max_vars_per_channel tensorflow.quantization.quantize "
    "tensorflow.quantization.quantized_concat",
    "an object, or a question about the process": "keras.backend.StatelessScope keras.backend.SymbolicScope "
    "keras.backend.compute_output_spec keras.backend.standardize_shape keras.tree.is_nested keras.Functional keras.Input keras.Model keras.Sequential keras.activations.serialize "
    "keras.constraints.MaxNorm keras.constraints.MinMaxNorm keras.constraints.NonNeg "
    "keras.constraints.UnitNorm keras.constraints.get keras.constraints.max_norm "
    "keras.constraints.serialize keras.losses.serialize keras.regularizers.serialize keras.version "
    "keras.version.version tensorflow.distribute.get_replica_context tensorflow.distribute.get_strategy "
    "tensorflow.get_current_name_scope tensorflow.get_logger tensorflow.linalg.LinearOperatorCirculant "
    "tensorflow.linalg.LinearOperatorDiag tensorflow.linalg.LinearOperatorFullMatrix "
    "tensorflow.linalg.LinearOperatorIdentity tensorflow.linalg.LinearOperatorLowerTriangular "
    "tensorflow.linalg.LinearOperatorToeplitz tensorflow.losses.serialize "
    "tensorflow.test.is_built_with_cuda tensorflow.test.is_gpu_available",
    "needs arguments of a form of its own": "keras.tree.map_structure_up_to keras.tree.pack_sequence_as "
    "keras.backend.ctc_decode keras.backend.local_conv1d keras.backend.local_conv2d "
    "keras.backend.normalize_batch_in_training keras.backend.resize_volumes keras.ops.argpartition "
    "keras.ops.core.scatter keras.ops.core.slice keras.ops.core.switch keras.ops.ctc_decode "
    "keras.ops.dsplit keras.ops.fold keras.ops.geomspace keras.ops.istft keras.ops.jvp "
    "keras.ops.linalg.jvp keras.ops.logspace keras.ops.math.istft keras.ops.nn.conv_transpose "
    "keras.ops.nn.ctc_decode keras.ops.nn.fold keras.ops.nn.separable_conv keras.ops.numpy.argpartition "
    "keras.ops.numpy.dsplit keras.ops.numpy.geomspace keras.ops.numpy.logspace keras.ops.numpy.vectorize "
    "keras.ops.numpy.vsplit keras.ops.rearrange keras.ops.vectorize keras.ops.vsplit "
    "numpy.apply_along_axis numpy.delete numpy.empty_like numpy.fromfunction numpy.gradient numpy.insert "
    "numpy.intersect1d numpy.mgrid numpy.piecewise numpy.setdiff1d numpy.tril_indices numpy.triu_indices "
    "numpy.union1d numpy.vectorize tensorflow.assert_same_float_dtype tensorflow.assert_type "
    "tensorflow.batch_to_space tensorflow.batch_to_space_nd tensorflow.debugging.assert_same_float_dtype "
    "tensorflow.debugging.assert_shapes tensorflow.debugging.assert_type tensorflow.edit_distance "
    "tensorflow.extract_volume_patches tensorflow.fftnd tensorflow.ifftnd tensorflow.irfftnd "
    "tensorflow.linalg.banded_triangular_solve tensorflow.linalg.eigh_tridiagonal "
    "tensorflow.linalg.lu_matrix_inverse tensorflow.linalg.lu_reconstruct tensorflow.linalg.lu_solve "
    "tensorflow.linalg.tridiagonal_matmul tensorflow.linalg.tridiagonal_solve "
    "tensorflow.nn.atrous_conv2d_transpose tensorflow.nn.batch_norm_with_global_normalization "
    "tensorflow.nn.collapse_repeated tensorflow.nn.conv1d_transpose tensorflow.nn.conv2d_backprop_filter "
    "tensorflow.nn.conv2d_backprop_input tensorflow.nn.conv3d_transpose tensorflow.nn.conv_transpose "
    "tensorflow.nn.ctc_beam_search_decoder tensorflow.nn.ctc_beam_search_decoder_v2 "
    "tensorflow.nn.ctc_greedy_decoder tensorflow.nn.dilation2d tensorflow.nn.erosion2d "
    "tensorflow.nn.fractional_avg_pool tensorflow.nn.fractional_max_pool tensorflow.nn.fused_batch_norm "
    "tensorflow.nn.normalize_moments tensorflow.nn.space_to_batch tensorflow.nn.with_space_to_batch "
    "tensorflow.required_space_to_batch_paddings tensorflow.rfftnd tensorflow.signal.inverse_mdct "
    "tensorflow.signal.inverse_stft tensorflow.signal.inverse_stft_window_fn "
    "tensorflow.signal.linear_to_mel_weight_matrix tensorflow.signal.mdct "
    "tensorflow.signal.mfccs_from_log_mel_spectrograms tensorflow.space_to_batch "
    "tensorflow.space_to_batch_nd",
    "refuses dense float tensors, eager execution or the CPU": "builtins.round keras.ops.kaiser keras.ops.numpy.kaiser "
    "lu_factor numpy.rollaxis Assert Dimension to_graph tensorflow.experimental.numpy.around "
    "tensorflow.experimental.numpy.round encode_jpeg encode_png approx_min_k approx_max_k fold_in "
    "tensorflow.random.split reduce_join setdiff1d tensorflow.sets.difference tensorflow.sets.intersection "
    "tensorflow.sets.size tensorflow.sets.union fftnd ifftnd irfftnd rfftnd tensorflow.sparse.add "
    "tensorflow.sparse.concat tensorflow.sparse.cross tensorflow.sparse.cross_hashed tensorflow.sparse.expand_dims "
    "tensorflow.sparse.maximum tensorflow.sparse.reshape tensorflow.sparse.segment_mean tensorflow.sparse.segment_sum "
    "tensorflow.sparse.split sparse_add sparse_reshape",
    "refuses eager execution": "tensorflow.metrics.accuracy tensorflow.metrics.auc tensorflow.metrics.mean "
    "tensorflow.metrics.mean_absolute_error tensorflow.metrics.mean_iou tensorflow.metrics.mean_squared_error "
    "tensorflow.metrics.precision tensorflow.metrics.recall",
    "does not come back for some inputs": "logm",
    "depends on the learning phase, which is not known": "in_train_phase in_test_phase",
    "needs a TensorFlow 1 graph": "placeholder_with_default parallel_stack",
}
"""Reason: names."""


@functools.cache
def _by_name() -> dict[str, str]:
    return {name: why for why, names in NAMES.items() for name in names.split()}


def reason(name: str) -> str:
    """Why ``name`` is never called; "" where nothing speaks against it."""
    listed = _by_name()
    return listed.get(name) or listed.get(name.rpartition(".")[2], "")


def place(name: str) -> str:
    """Why what stands at this place of the packages is not called where it has no recipe of its own."""
    return next((why for starts, why in PLACES.items() if name.startswith(tuple(starts.split()))), "")
