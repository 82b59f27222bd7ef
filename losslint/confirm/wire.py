"""How the processes of the confirmer talk: frames of JSON with their length in front. Nothing is ever unpickled."""

from __future__ import annotations

import json
from typing import Any

_HEAD = 8  # bytes that hold the length of a frame


def frame(message: Any) -> bytes:
    """``message``, ready to be written."""
    return framed(json.dumps(message).encode())


def framed(data: bytes) -> bytes:
    """``data`` as a frame."""
    return len(data).to_bytes(_HEAD, "big") + data


class Frames:
    """Cuts what arrives, in pieces of any size, into frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def __len__(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that ``data`` completes."""
        self._held += data
        complete = []
        while len(self._held) >= _HEAD:
            end = _HEAD + int.from_bytes(self._held[:_HEAD], "big")
            if len(self._held) < end:
                break
            complete.append(bytes(self._held[_HEAD:end]))
            del self._held[:end]
        return complete
