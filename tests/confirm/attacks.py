"""Losses that attack the machine they run on; each returns a loss if it is let, and a large one if it got through.

A copy of this file is run, next to which lie what is to be attacked: ``port``, ``precious/``. Never import it: what
stands at its end deletes a folder. Those that could harm the machine if nothing stopped them stop by themselves.
"""

import contextlib
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
THROUGH = 1000.0  # added to the loss where an attack succeeds


def _error(y_true, y_pred):
    return sum((y_true[0][i] - y_pred[0][i]) ** 2 for i in range(2))  # of lists as of tensors


def honest(y_true, y_pred):
    return _error(y_true, y_pred)


def slow(y_true, y_pred):
    time.sleep(0.3)
    return _error(y_true, y_pred)


def counts(y_true, y_pred):
    sys.counted = getattr(sys, "counted", 0) + 1
    return sys.counted


def once(y_true, y_pred):
    if counts(y_true, y_pred) > 1:
        os.abort()
    return _error(y_true, y_pred)


def infinite_loop(y_true, y_pred):
    while True:
        pass


def deaf_loop(y_true, y_pred):
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)


def huge_allocation(y_true, y_pred):
    held = [b"x" * (1 << 26) for _ in range(64)]  # 4 GB, of pages that are touched
    return _error(y_true, y_pred) + THROUGH * bool(held)


def huge_allocation_numpy(y_true, y_pred):
    import numpy as np

    return _error(y_true, y_pred) + np.concatenate([np.ones(1 << 26) for _ in range(400)]).sum()  # 200 GB


def huge_allocation_tensorflow(y_true, y_pred):
    import tensorflow as tf

    return tf.reduce_sum(tf.concat([tf.random.uniform([1 << 27]) for _ in range(400)], axis=0))  # 200 GB


def shared_allocation(y_true, y_pred):
    held = b"x" * (1 << 26)
    for _ in range(3):
        if os.fork() == 0:
            time.sleep(0.3 + len(held) * 0)
            os._exit(0)
    for _ in range(3):
        os.wait()
    return _error(y_true, y_pred)


def leaves(y_true, y_pred):
    os._exit(3)


def leaves_politely(y_true, y_pred):
    sys.exit("that is all")


def raises(y_true, y_pred):
    raise ValueError("no such loss")


def returns_no_number(y_true, y_pred):
    return object()


def fork_bomb(y_true, y_pred):
    end = time.monotonic() + 3
    while time.monotonic() < end:
        os.fork()
    return _error(y_true, y_pred) + THROUGH


def daemon(y_true, y_pred):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for file in range(64):
                with contextlib.suppress(OSError):
                    os.close(file)
            time.sleep(60)
        os._exit(0)
    os.wait()
    return _error(y_true, y_pred)


def kills_its_group(y_true, y_pred):
    os.kill(0, signal.SIGKILL)
    return _error(y_true, y_pred)


def kills_its_parent(y_true, y_pred):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


def segfaults(y_true, y_pred):
    print("about to fall")
    os.kill(os.getpid(), signal.SIGSEGV)
    return _error(y_true, y_pred)


def aborts(y_true, y_pred):
    os.abort()


def aborts_in_tensorflow(y_true, y_pred):
    import tensorflow as tf

    image = tf.ones([1, 4, 4, 1]) * y_pred[0, 0]
    shape = tf.stack([1, -4, 4, 1]) + tf.cast(
        0 * y_pred[0, 0], tf.int32
    )  # known too late to be an error: a CHECK fails
    larger = tf.nn.conv2d_transpose(image, tf.ones([2, 2, 1, 1]), shape, strides=1)
    return tf.reduce_mean(tf.square(y_true[0, 0] - larger))


def writes(y_true, y_pred):
    through = 0
    for folder in (HERE, HERE / "precious", Path.home().parent, Path("/"), Path("/usr"), Path("/dev"), Path("/sys")):
        try:
            (folder / "written").write_text("written")
            through += 1
        except OSError:
            pass
    return _error(y_true, y_pred) + THROUGH * through


def deletes(y_true, y_pred):
    shutil.rmtree(HERE / "precious", ignore_errors=True)
    return _error(y_true, y_pred) + THROUGH * (not (HERE / "precious" / "data").exists())


def writes_to_its_folder(y_true, y_pred):
    Path("weights").write_text("1")
    Path.home().joinpath("more").write_text("1")
    return _error(y_true, y_pred) + THROUGH * len(set(os.listdir()) - {"weights", "more"})


def fills_the_disk(y_true, y_pred):
    written = 0
    try:
        for number in range(64):
            written += Path(f"part{number}").write_bytes(bytes(1 << 22))
    except OSError:
        pass
    return written


def devices(y_true, y_pred):
    known = {"null", "zero", "full", "random", "urandom", "fd"}
    return _error(y_true, y_pred) + THROUGH * len(set(os.listdir("/dev")) - known)


def mounts(y_true, y_pred):
    import ctypes

    libc = ctypes.CDLL(None)
    through = libc.mount(None, b"/", None, ctypes.c_ulong(32 | 4096), None) == 0  # remount, bind: writable again
    through += libc.umount2(os.getcwd().encode(), 2) == 0
    through += libc.unshare(0x10000000) == 0  # a user namespace, in which everything would be allowed
    return _error(y_true, y_pred) + THROUGH * through


def connects(y_true, y_pred):
    try:
        with socket.create_connection(("127.0.0.1", int((HERE / "port").read_text())), timeout=1) as there:
            there.sendall(b"secret")
        return _error(y_true, y_pred) + THROUGH
    except OSError:
        return _error(y_true, y_pred)


def connects_locally(y_true, y_pred):
    try:
        with socket.socket(socket.AF_UNIX) as there:
            there.connect(str(HERE / "service"))
        return _error(y_true, y_pred) + THROUGH
    except OSError:
        return _error(y_true, y_pred)


def reads_stdin(y_true, y_pred):
    return _error(y_true, y_pred) + THROUGH * len(os.read(0, 100)) + THROUGH * len(sys.stdin.read())


def reads_secrets(y_true, y_pred):
    seen = [os.environ.get("LOSSLINT_SECRET", "")]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            seen.append((process / "environ").read_text(errors="replace"))
    return _error(y_true, y_pred) + THROUGH * sum("LOSSLINT_SECRET" in one or "s3cret" in one for one in seen)


def reads_keys(y_true, y_pred):
    """The keys of the session the user has logged in with are no files."""
    through = 0
    for call in ((250, 0, -3, 1), (248, b"user", b"losslint", b"x", 1, -3)):  # keyctl, add_key
        through += _calls(*call)
    return _error(y_true, y_pred) + THROUGH * through


def reaches_for_others(y_true, y_pred):
    """ptrace, process_vm_readv, pidfd_getfd and io_uring_setup, of any process there is, itself included."""
    through = 0
    for pid in (os.getpid(), os.getppid(), 1):
        through += _calls(101, 16906, pid, 0, 0)  # PTRACE_SEIZE
        through += _calls(310, pid, None, 0, None, 0, 0)
        with contextlib.suppress(OSError):
            through += _calls(438, os.pidfd_open(pid), 1, 0)
    through += _calls(425, 8, bytes(120))
    return _error(y_true, y_pred) + THROUGH * through


def _calls(*arguments):
    """Whether the kernel does not refuse a call as such. Its number is that of x86_64."""
    import ctypes
    import errno

    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(*arguments) >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ESRCH)


def floods(y_true, y_pred):
    for _ in range(1 << 10):
        os.write(1, bytes(1 << 20))  # 1 GB
    return _error(y_true, y_pred) + THROUGH


def starts_a_pool(y_true, y_pred):
    from losslint.confirm.pool import Pool

    with Pool(runner="tests.confirm.fake_runner:run", preload=False) as pool:
        outcome = pool.run({"path": str(HERE / "attacks.py"), "function": "honest"})
    return [outcome.kind, outcome.result, outcome.enforced]


def forges_a_result(y_true, y_pred):
    for file in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(file, (3).to_bytes(8, "big") + b"=[[")
    return _error(y_true, y_pred)


def unnamed_signal(y_true, y_pred):
    os.kill(os.getpid(), 40)  # one of those for real time
    return _error(y_true, y_pred)


def stops_its_parent(y_true, y_pred):
    os.kill(os.getppid() or 1, signal.SIGSTOP)
    return _error(y_true, y_pred)


def signals_others(y_true, y_pred):
    """Every process that there is to be seen, but itself."""
    through = 0
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) not in (1, os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(int(process.name), 0)
                through += 1
    return _error(y_true, y_pred) + THROUGH * through


def thread_bomb(y_true, y_pred):
    import threading

    held = threading.Event()
    threading.stack_size(1 << 16)
    for _ in range(6000):
        threading.Thread(target=held.wait, args=(20,), daemon=True).start()
    return _error(y_true, y_pred) + THROUGH


def hides_memory(y_true, y_pred):
    """In files that no process maps: 1 GB in memory, of which no process holds anything."""
    held = 0
    for _ in range(64):
        with contextlib.suppress(OSError):
            held += os.write(os.memfd_create("hidden"), bytes(1 << 24))
    return _error(y_true, y_pred) + THROUGH * (held > 0)


def leaves_shared_memory(y_true, y_pred):
    """What the next job would find, and what nobody would free."""
    import ctypes

    libc = ctypes.CDLL(None)
    through = sum(libc.shmget(4711 + n, 1 << 20, 0o1666) >= 0 for n in range(8))  # IPC_CREAT
    through += libc.msgget(4711, 0o1666) >= 0
    return _error(y_true, y_pred) + THROUGH * through


def reaches_for_the_first(y_true, y_pred):
    """The first process of its namespace, or of the machine, and its own parent."""
    through = 0
    for pid in {1, os.getppid() or 1}:
        for file, flags in (
            ("mem", os.O_RDWR),
            ("environ", os.O_RDONLY),
            ("fd/0", os.O_RDONLY),
            ("root/", os.O_RDONLY),
        ):
            with contextlib.suppress(OSError):
                through += bool(os.read(os.open(f"/proc/{pid}/{file}", flags), 1) or True)
    return _error(y_true, y_pred) + THROUGH * through


def writes_through_its_files(y_true, y_pred):
    """What it has open, opened anew for writing: standard input, what it was started from, its libraries."""
    through = 0
    places = [*Path("/proc/self/fd").glob("[012]"), Path("/proc/self/exe")]
    for place in places:
        real = os.path.realpath(place)
        if os.path.isfile(real):
            with contextlib.suppress(OSError):
                os.close(os.open(place, os.O_WRONLY))
                through += 1
    return _error(y_true, y_pred) + THROUGH * through


def holds_on(y_true, y_pred):
    """Lives on in threads and at the exit, with the pipe of its result open."""
    import atexit
    import threading

    def forever():
        while True:
            time.sleep(0.01)

    atexit.register(forever)
    for _ in range(4):
        threading.Thread(target=forever).start()
    return _error(y_true, y_pred)


def escapes(y_true, y_pred):
    raise ValueError("\x1b]0;owned\x07\x1b[2J\r::error file=a.py::owned \u202e")


def writes_to_a_pipe(y_true, y_pred):
    """One that has a name is no part of a file system that is read-only."""
    try:
        os.write(os.open(HERE / "pipe", os.O_WRONLY | os.O_NONBLOCK), b"secret")
        return _error(y_true, y_pred) + THROUGH
    except OSError:
        return _error(y_true, y_pred)


def hides_its_folder(y_true, y_pred):
    """Leaves folders that cannot be looked into, and links out of its own."""
    os.makedirs("a/b/c")
    Path("a/b/c/file").write_text("left")
    os.symlink(HERE / "precious", "a/b/link")
    os.symlink("/", "root")
    for folder in ("a/b/c", "a/b", "a"):
        os.chmod(folder, 0)
    return _error(y_true, y_pred)


def _forges(answer):
    for file in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(file, len(answer).to_bytes(8, "big") + answer)


def forges_a_number(y_true, y_pred):
    _forges(b"=5")
    return _error(y_true, y_pred)


def forges_a_fault(y_true, y_pred):
    _forges(b'!{"a": [1]}')
    return _error(y_true, y_pred)


def forges_a_passport(y_true, y_pred):
    _forges(b'={"ran": true, "convention": [{}], "facts": {"output": 7, "batch": {}}, "claims": "none", "shims": 3}')
    return _error(y_true, y_pred)


def forges_a_length(y_true, y_pred):
    for file in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(file, b"\xff" * 8)
            while True:
                os.write(file, bytes(1 << 20))
    return _error(y_true, y_pred)


def forges_its_folder(y_true, y_pred):
    """What the asking process reads there, where no pipe is to be had."""
    for name in ("answer", "output", "started", "job.json"):
        with contextlib.suppress(OSError):
            os.remove(name)
        with contextlib.suppress(OSError):
            os.mkfifo(name)
    time.sleep(0.3)
    os._exit(3)


def forges_links(y_true, y_pred):
    for name in ("answer", "output"):
        with contextlib.suppress(OSError):
            os.remove(name)
        os.symlink("/dev/zero", name)
    time.sleep(0.3)
    os._exit(3)


shutil.rmtree(HERE / "precious")
