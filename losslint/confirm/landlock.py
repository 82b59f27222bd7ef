"""Landlock: a process gives up the right to write anywhere but in a few places, and to reach others. Since Linux 5.13.

No privilege is needed. It holds where namespaces are refused, and for what a read-only mount lets through: pipes that
have a name. Who is confined may not look into a process that is not (``ptrace``, /proc/PID/mem and environ), and from
Linux 6.12 on sends it no signal. The numbers are those of <linux/landlock.h>, the same on every architecture.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1  # a flag of _CREATE: which version there is
_BENEATH = 1  # a kind of rule: what lies beneath a path

_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
_OF_FILES = {1: _WRITE_FILE, 3: _TRUNCATE}
_OF_FOLDERS = {1: sum(1 << bit for bit in range(4, 13)), 2: 1 << 13}
"""Version -> the rights that it brings: to remove and make what there is in folders; to move it from one to another."""
TCP = 4
"""The version since which connections by TCP are refused as well."""
_OF_TCP = {TCP: 3}  # bind and connect
_SCOPES = {6: 3}  # abstract sockets and signals

_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """The version of Landlock that the kernel has; below 1 where it has none."""
    return int(_libc.syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION))


def refusal() -> str:
    """Why there is no Landlock, or "" where there is."""
    return "" if version() > 0 else f"no Landlock: {errno.errorcode.get(ctypes.get_errno(), 'none')}"


def confine(writable: Iterable[str]) -> None:
    """Let this process, and all that it starts, write at and beneath ``writable`` only. It has ``no_new_privs``."""
    known = version()
    files, folders = _rights(_OF_FILES, known), _rights(_OF_FOLDERS, known)
    handled = struct.pack("QQQ", files | folders, _rights(_OF_TCP, known), _rights(_SCOPES, known))
    size = 8 if known < TCP else 16 if known < 6 else 24  # an older kernel takes no more
    rules = _called(_CREATE, handled[:size], ctypes.c_size_t(size), 0)
    for path in filter(os.path.exists, writable):
        place = os.open(path, os.O_PATH)
        rights = files | folders if stat.S_ISDIR(os.fstat(place).st_mode) else files
        _called(_ADD, rules, _BENEATH, struct.pack("=Qi", rights, place), 0)
        os.close(place)
    _called(_RESTRICT, rules, 0)
    os.close(rules)


def _rights(brought: dict[int, int], known: int) -> int:
    return sum(rights for since, rights in brought.items() if since <= known)


def _called(*arguments: object) -> int:
    result = int(_libc.syscall(*arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "Landlock")
    return result
