"""What the catalogue leaves out on purpose, and why: modules and functions that give a loss no value of its own."""

from __future__ import annotations

from losslint.ops.registry import OUTSIDE

_REASONS = {
    "belongs to another framework": "torch jax jaxlib flax optax haiku chex equinox theano mxnet paddle openvino cntk "
    "keras.backend.theano_backend keras.backend.cntk_backend "
    "fun_mc tensorflow_probability.substrates tensorflow_probability.python.internal",
    "feeds a training step": "tensorflow.data tensorflow.io tensorflow.gfile tensorflow.python_io tensorflow.queue "
    "tensorflow.FixedLenFeature tensorflow.VarLenFeature tensorflow.parse_example tensorflow.parse_single_example "
    "tensorflow.TFRecordReader tensorflow.feature_column tensorflow.lookup tensorflow.contrib.lookup "
    "tensorflow.python.ops.lookup_ops tensorflow.contrib.data tensorflow_datasets keras.datasets keras.preprocessing "
    "keras.utils.Sequence keras.utils.timeseries_dataset_from_array "
    "keras.utils.image_dataset_from_directory keras.utils.text_dataset_from_directory pandas h5py PIL cv2 imageio "
    "sklearn.model_selection sklearn.preprocessing sklearn.datasets numpy.save numpy.savez "
    "numpy.savetxt numpy.lib",
    "saves, exports or serves a model": "tensorflow.saved_model tensorflow.train.Saver tensorflow.lite "
    "tensorflow.estimator tensorflow.graph_util tensorflow.tpu tensorflow.tools tensorflow.app tensorflow.flags "
    "tensorflow.contrib.tpu tensorflow.contrib.learn tensorflow.contrib.training keras.export onnx "
    "tensorflow.compat.v1.saved_model tensorflow.__internal__ keras.callbacks "
    "keras.quantizers keras.dtype_policies ml_dtypes keras_tuner",
    "talks to the operating system or the user": "os sys io time datetime logging warnings re json csv pickle yaml "
    "glob shutil pathlib tempfile subprocess threading multiprocessing queue random uuid string textwrap hashlib zlib "
    "argparse absl click getpass socket platform signal gc traceback inspect types typing abc enum dataclasses "
    "importlib pkg_resources packaging contextlib pprint tabulate rich termcolor urllib requests zipfile tarfile "
    "tensorflow.python.platform tensorflow.python.util tensorflow.python.eager tensorflow.python.trackable "
    "tensorflow.python.profiler tensorflow.sysconfig tensorflow.version tensorflow.audio IPython google",
    "draws or logs": "matplotlib seaborn plotly bokeh graphviz pydot wandb mlflow tensorboard tensorboardX comet_ml "
    "tensorflow.summary tensorflow.logging tensorflow.profiler",
    "asks or changes something about types, devices or the process": "tensorflow.check_pinned "
    "tensorflow.import_graph_def tensorflow.make_ndarray tensorflow.make_tensor_proto "
    "tensorflow.register_tensor_conversion_function tensorflow.random.get_global_generator "
    "tensorflow.random.set_global_generator tensorflow.experimental.numpy.iscomplex "
    "tensorflow.experimental.numpy.iscomplexobj tensorflow.experimental.numpy.isrealobj "
    "tensorflow.experimental.numpy.isscalar tensorflow.experimental.numpy.issubdtype "
    "tensorflow.experimental.numpy.promote_types tensorflow.experimental.numpy.result_type "
    "tensorflow.experimental.numpy.ix_ tensorflow.experimental.numpy.diag_indices "
    "tensorflow.debugging.get_log_device_placement tensorflow.debugging.is_traceback_filtering_enabled",
    "is the slope of another function, used by TensorFlow itself": "tensorflow.conv2d_backprop_filter_v2 "
    "tensorflow.conv2d_backprop_input_v2 tensorflow.nn.depthwise_conv2d_backprop_filter "
    "tensorflow.nn.depthwise_conv2d_backprop_input tensorflow.ragged_fill_empty_rows_grad "
    "tensorflow.quantization.fake_quant_with_min_max_args_gradient "
    "tensorflow.quantization.fake_quant_with_min_max_vars_gradient "
    "tensorflow.quantization.fake_quant_with_min_max_vars_per_channel_gradient",
    "belongs to a test": "unittest pytest hypothesis numpy.testing tensorflow.test keras.testing mock",
}
for _why, _names in _REASONS.items():
    OUTSIDE.update(dict.fromkeys(_names.split(), _why))
