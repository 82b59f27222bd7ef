"""What keeps a job from the rest of the machine: namespaces, read-only files, Landlock, no privileges, no sockets.

Linux alone has these. Each is tried first in a process that is thrown away; what the system refuses is left out, and
``Sandbox.enforced`` says so. ``enter`` is for the process that starts the jobs, while it has a single thread;
``Sandbox.confine`` is for the process of a job, before anything of the user's runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import re
import resource
import select
import signal
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from losslint.confirm import landlock

SWITCHES = ("user", "mount", "ipc", "net", "pid", "seccomp", "landlock")  # what can be done without

_SPACES = {"user": 0x10000000, "mount": 0x00020000, "ipc": 0x08000000, "net": 0x40000000, "pid": 0x20000000}
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_KEPT = {
    "nosuid": _NOSUID,
    "nodev": _NODEV,
    "noexec": _NOEXEC,
    "noatime": 1024,
    "nodiratime": 2048,
    "relatime": 1 << 21,
}
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_PDEATHSIG, _SECCOMP, _BOUNDING, _SUBREAPER, _NO_NEW_PRIVS = 1, 22, 24, 36, 38  # prctl
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, -100, 0x8000

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What the process that starts the jobs is in."""

    folder: str  # the working folder
    disk: int
    refused: dict[str, str]  # each of SWITCHES -> why it is not in force, or ""
    own: int = -1  # the pid namespace of the process itself, to return to
    devices: tuple[str, ...] = ()  # those that jobs need

    def enforced(self) -> dict[str, str]:
        """Limit -> what enforces it."""
        no = self.refused
        network = [
            *(["network namespace without interfaces"] if not no["net"] else []),
            *(["no sockets (seccomp)"] if not no["seccomp"] else []),
        ]
        if not network and not no["landlock"] and landlock.version() >= landlock.TCP:
            network = ["no TCP (Landlock), everything else is allowed"]
        files = [
            *(["mount namespace, read-only"] if not no["mount"] else []),
            *(["Landlock"] if not no["landlock"] else []),
        ]
        missing = f"not enforced: {no['mount']}; {no['landlock']}; a temporary working folder"
        return {
            "processes": "counted; killed with their pid namespace"
            if not no["pid"]
            else f"counted; stopped and killed one by one (no pid namespace: {no['pid']})",
            "network": ", ".join(network) or f"not enforced: {no['net']}; {no['seccomp']}",
            "files": ", ".join(files) or missing,
            "disk": f"tmpfs of {self.disk >> 20} MB as working folder"
            if not no["mount"]
            else "RLIMIT_FSIZE, each file",
            "privileges": "no capabilities, no_new_privs",
        }

    # -- pid namespaces: the first process of one takes all others with it -------------------------------------------

    def open_space(self) -> int:
        """Let the next process start in a pid namespace of its own. Returns that namespace's first process, or 0.

        The first process only waits: a signal that it raises in itself, as an abort does, would have no effect.
        """
        if self.refused["pid"]:
            return 0
        _check(_libc.unshare(_SPACES["pid"]))
        first = os.fork()
        if first == 0:
            os.setsid()
            die_with_parent()
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans are reaped
            close_files()
            while True:
                signal.pause()
        return first

    def close_space(self) -> None:
        """Start processes here again."""
        if not self.refused["pid"]:
            _check(_libc.setns(self.own, _SPACES["pid"]))

    # -- the process of a job ----------------------------------------------------------------------------------------

    def confine(self, folder: str) -> None:
        """Give up whatever a job does not need. ``folder`` becomes the working folder."""
        os.setsid()  # to signal its process group must not reach others
        die_with_parent()
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")  # before anything else of the machine
        if not self.refused["ipc"]:
            _unshare(["ipc"])  # what is shared by a number would outlive the job, and be found by others
        if not self.refused["mount"]:
            _unshare(["mount"])
            _mount("tmpfs", folder, _NOSUID | _NODEV, f"size={self.disk},mode=700")
            if not self.refused["pid"]:
                _mount("proc", "/proc", _NOSUID | _NODEV | _NOEXEC | _RDONLY)
        if self.refused["pid"]:
            _prctl(_SUBREAPER, 1)  # its descendants stay below it
        os.chdir(folder)
        _limit(resource.RLIMIT_CORE, 1)  # 1 and not 0: that also spares a core_pattern with a pipe
        _limit(resource.RLIMIT_FSIZE, self.disk)
        _drop_privileges()
        if not self.refused["landlock"]:
            landlock.confine([folder, *_DEVICES, *self.devices])
        if not self.refused["seccomp"]:
            _refuse_calls()


def enter(folder: str, disk: int, lifeline: int, without: Iterable[str] = (), devices: Sequence[str] = ()) -> Sandbox:
    """Enter what namespaces there are; the file system becomes read-only, but for ``folder``.

    Where pid namespaces are to be had, the caller goes on in a new process, the first one of its own. The process
    it was waits for the end of either the new one or the other side of ``lifeline``, and takes what is left with it.
    ``devices`` are paths in /dev that jobs need.
    """
    off = {name: "switched off" if name in without else "" for name in SWITCHES}
    taken: list[str] = []
    for name in _SPACES:
        if name == "pid" and off["mount"]:
            off[name] = off[name] or "it needs the mount namespace"  # for a /proc of its own
        off[name] = off[name] or _refusal([*taken, name], folder, devices)
        if not off[name]:
            taken.append(name)
    off["landlock"] = off["landlock"] or landlock.refusal()
    off["seccomp"] = off["seccomp"] or ("" if platform.machine() in _ARCHITECTURES else "unknown architecture")
    _unshare(taken)
    own = -1
    if "user" in taken:
        with contextlib.suppress(OSError):
            Path("/proc/sys/user/max_user_namespaces").write_text("0")  # none inside this one
    if "mount" in taken:
        _lock_files(folder, devices)
        _mount("tmpfs", folder, _NOSUID | _NODEV, f"size={disk},mode=700")
    if "pid" in taken:
        _become_first(lifeline)
        own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    else:
        _prctl(_SUBREAPER, 1)
    return Sandbox(folder, disk, off, own, tuple(devices))


def die_with_parent() -> None:
    """The end of the parent is the end of this process."""
    _prctl(_PDEATHSIG, signal.SIGKILL)


def close_files(keep: Sequence[int] = ()) -> None:
    """Close all files but ``keep`` and the three standard ones."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in keep:
            with contextlib.suppress(OSError):
                os.close(int(name))


# -- namespaces ------------------------------------------------------------------------------------------------------


def _refusal(names: Sequence[str], folder: str, devices: Sequence[str]) -> str:
    """Why a process cannot enter the namespaces ``names`` together, or "" where it can."""
    pid = os.fork()
    if pid == 0:
        os._exit(_errno_of_entering(names, folder, devices))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return errno.errorcode.get(code, f"error {code}") if code else ""


def _errno_of_entering(names: Sequence[str], folder: str, devices: Sequence[str]) -> int:
    try:
        _unshare(names)
        if "mount" in names:
            _lock_files(folder, devices)
        if "pid" not in names:
            return 0
        pid = os.fork()
        if pid:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        _mount("proc", "/proc", _NOSUID | _NODEV | _NOEXEC)
    except OSError as error:
        return error.errno or 1
    return 0


def _unshare(names: Iterable[str]) -> None:
    """Enter new namespaces; in that of users, everyone stays who they are."""
    names = list(names)
    uid, gid = os.geteuid(), os.getegid()
    _check(_libc.unshare(sum(_SPACES[name] for name in names if name != "pid")))
    if "user" in names:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    if "pid" in names:  # after the map: without one there is nobody to own it
        _check(_libc.unshare(_SPACES["pid"]))


def _become_first(lifeline: int) -> None:
    ended, alive = os.pipe()  # the other end closes with the new process
    pid = os.fork()
    if pid:
        os.close(alive)
        waiting = select.poll()
        waiting.register(ended, 0)
        waiting.register(lifeline, 0)
        gone = [file for file, _ in waiting.poll()]
        os._exit(_status_of(pid) if gone == [ended] else 0)
    os.close(ended)
    die_with_parent()
    _mount("proc", "/proc", _NOSUID | _NODEV | _NOEXEC)


def _status_of(pid: int) -> int:
    """The status of the child ``pid``, as a shell tells it; 0 where it lives, and ends with this process."""
    end = time.monotonic() + 10.0  # its files are closed a moment before it can be waited for
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        time.sleep(0.01)
    return 0


# -- files -----------------------------------------------------------------------------------------------------------


def _lock_files(folder: str, devices: Sequence[str]) -> None:
    """A read-only file system, with few devices: a disk could be written to by its device, whatever is mounted."""
    _mount("", "/", _REC | _PRIVATE)
    _mount("tmpfs", folder, _NOSUID, "size=1m,mode=755")
    for device in (*_DEVICES, *devices):
        if os.path.exists(device):
            place = Path(folder + device)
            if os.path.isdir(device):
                place.mkdir(parents=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            _mount(device, str(place), _BIND | _REC)
    os.symlink("/proc/self/fd", f"{folder}/dev/fd")
    _mount(f"{folder}/dev", "/dev", _BIND | _REC)
    read_only = struct.pack("QQQQ", _RDONLY, 0, 0, 0)
    size = ctypes.c_size_t(len(read_only))
    if _libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, read_only, size):
        _lock_each_mount()  # Linux before 5.12


def _lock_each_mount() -> None:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        _, _, _, _, place, options, *_ = line.split(" ")
        path = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), place)
        kept = sum(flag for name, flag in _KEPT.items() if name in options.split(","))
        try:
            _mount("", path, _REMOUNT | _BIND | _RDONLY | kept)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EACCES):  # out of reach: for the jobs too
                raise


def _mount(what: str, where: str, flags: int, options: str = "") -> None:
    kind = what if what in ("tmpfs", "proc") else ""
    arguments = (os.fsencode(what), os.fsencode(where), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _check(_libc.mount(*arguments), where)


# -- privileges ------------------------------------------------------------------------------------------------------


def _limit(what: int, wanted: int) -> None:
    hard = resource.getrlimit(what)[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(what, (value, value))


def _drop_privileges() -> None:
    _prctl(_NO_NEW_PRIVS, 1)
    with contextlib.suppress(OSError):  # EINVAL: there are no more; EPERM: there are none
        for capability in range(64):
            _prctl(_BOUNDING, capability)
    header = struct.pack("Ii", 0x20080522, 0)
    _check(_libc.capset(header, bytes(24)))


# Of each architecture: its name to seccomp, and the numbers of what is refused: ``socket``; ``add_key``,
# ``request_key`` and ``keyctl``, as the keys of a session are no file; ``ptrace``, ``process_vm_readv`` and
# ``process_vm_writev``, which reach other processes of the same user where there is no pid namespace; ``memfd_create``,
# ``shmget`` and ``msgget``, which take memory that belongs to no process and is not seen by who watches them.
_ARCHITECTURES = {
    "x86_64": (0xC000003E, (41, 248, 249, 250, 101, 310, 311, 319, 29, 68)),
    "aarch64": (0xC00000B7, (198, 217, 218, 219, 117, 270, 271, 279, 194, 186)),
}
_ANYWHERE = (425, 438, 447)
"""io_uring_setup, another way to a socket; pidfd_getfd, to the files of another process; memfd_secret, as above."""
_X32 = 0x40000000  # the same calls under other numbers, on x86_64


def _refuse_calls() -> None:
    """Have the kernel refuse to make sockets, those of the machine's services included, and what else leads outside."""
    architecture, numbers = _ARCHITECTURES[platform.machine()]
    refused = (*numbers, *_ANYWHERE)
    load, equal, at_least, leave = 0x20, 0x15, 0x35, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | errno.EPERM
    tests = [(at_least, _X32), *((equal, number) for number in refused)]
    program = [
        (load, 0, 0, 4),  # the architecture
        (equal, 0, len(tests) + 2, architecture),  # another one is refused
        (load, 0, 0, 0),  # the number of the call
        *((how, len(tests) - place, 0, number) for place, (how, number) in enumerate(tests)),
        (leave, 0, 0, allow),
        (leave, 0, 0, refuse),
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    held = ctypes.create_string_buffer(code, len(code))
    _prctl(_SECCOMP, 2, struct.pack("HxxxxxxQ", len(program), ctypes.addressof(held)))


def _prctl(option: int, value: int, pointer: bytes | None = None) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), pointer, ctypes.c_ulong(0), ctypes.c_ulong(0)))


def _check(status: int, where: str = "") -> None:
    if status:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), where)
