"""Stands for what may not be imported: harmless to name, an error to use."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_USES = """
call getitem setitem delitem iter len bool contains next enter exit float int complex index array await fspath
add sub mul truediv floordiv mod pow matmul and or xor lshift rshift neg pos abs invert round divmod
radd rsub rmul rtruediv rfloordiv rmod rpow rmatmul rand ror rxor lt le gt ge
""".split()


class StubUsed(Exception):
    """The code used something of a package that is not imported; the message names it."""


class Inert:
    """The base of a class whose own base is a stub."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()


class Stub:
    """``name`` is what it stands for ("cv2.resize"); ``report`` is told of every use."""

    def __init__(self, name: str, report: Callable[[Stub, str], str]) -> None:
        self._stub_name = name
        self._stub_report = report

    def __getattr__(self, name: str) -> Stub:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Stub(f"{self._stub_name}.{name}", self._stub_report)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        self._stub_report(self, "base")
        return (Inert,)

    def __instancecheck__(self, instance: object) -> bool:
        return False

    def __subclasscheck__(self, subclass: type) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<{self._stub_name}, not imported>"


def _use(self: Stub, *args: Any, **kwargs: Any) -> Any:
    raise StubUsed(self._stub_report(self, "use"))


for _name in _USES:
    setattr(Stub, f"__{_name}__", _use)


def line_in(paths: Any) -> tuple[str, int]:
    """The file and line of the innermost frame that runs one of ``paths``."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename in paths:
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return "", 0
