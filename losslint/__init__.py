"""A linter for the loss functions of TensorFlow and Keras code."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losslint.checking import LossError, Passport, check_loss

__version__ = "0.1.0"
__all__ = ["LossError", "Passport", "__version__", "check_loss"]


def __getattr__(name: str) -> Any:
    """What tests of losses import; the linter itself starts without it."""
    if name in ("LossError", "Passport", "check_loss"):
        from losslint import checking

        return getattr(checking, name)
    raise AttributeError(f"module 'losslint' has no attribute {name!r}")
