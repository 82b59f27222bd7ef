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
