"""The probes: each runs a loss in one way and returns what it saw as plain data. None depends on another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it imports TensorFlow, and who plans a run wants the names alone
    from losslint.confirm.run import Run

Probe = Callable[["Run"], dict[str, Any]]


def table() -> dict[str, Probe]:
    """Name -> probe, in the order of the passport; the last ones only answer a question, and are not in it."""
    from losslint.confirm.probes import batch, curves, domain, gradient, keras, modes, operands, output, precision, sign

    return {
        "trace": output.trace,
        "output": output.output,
        "gradient": gradient.gradient,
        "derivative": gradient.directional,
        "batch": batch.batch,
        "edges": domain.edges,
        "precision": precision.precision,
        "modes": modes.modes,
        "keras": keras.keras,
        "sign": sign.sign,
        "curves": curves.curves,
        "logits": operands.logits,
        "missing": operands.missing,
    }


NAMES = ("trace", "output", "gradient", "derivative", "batch", "edges", "precision", "modes", "keras", "sign", "curves")

DECIDES: dict[str, str] = {
    **dict.fromkeys(("LL108", "LL207", "LL504", "LL505", "LL506", "LL509", "LL514"), "keras"),
    **dict.fromkeys(("LL503", "LL508"), "trace"),
    **dict.fromkeys(("LL101", "LL102", "LL103", "LL104", "LL105", "LL106", "LL107", "LL110"), "output"),
    **dict.fromkeys(
        ("LL201", "LL202", "LL203", "LL204", "LL205", "LL206", "LL208", "LL209", "LL210", "LL510"), "gradient"
    ),
    **dict.fromkeys(
        ("LL109", "LL301", "LL302", "LL303", "LL304", "LL305", "LL307", "LL308", "LL310", "LL311"), "batch"
    ),
    "LL309": "batch",
    "LL408": "logits",
    "LL412": "sign",
    "LL515": "modes",
    "LL413": "missing",
    **dict.fromkeys(("LL306", "LL501", "LL502", "LL507", "LL511", "LL512", "LL513", "LL516"), "trace"),
    **dict.fromkeys(
        ("LL401", "LL402", "LL403", "LL404", "LL405", "LL406", "LL407", "LL409", "LL410", "LL411"), "edges"
    ),
}
"""Rule -> the probe that decides it, as its page says."""
