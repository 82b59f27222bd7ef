"""Runs what was flagged under ``tf.function`` and says what the run shows: confirmed, refuted or inconclusive.

    findings -> jobs (slicing, hints) -> pool -> zygote -> sandboxed child (loader, inputs, probes) -> facts -> verdicts

The parent never imports TensorFlow nor the user's module; only the children of the zygote run user code.
"""
