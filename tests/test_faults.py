"""Disks that are full, trees that change while they are read, processes that are killed: nothing is lost or torn."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from losslint import engine, session
from losslint.discovery import Target
from losslint.fixes import base
from losslint.settings import Resolver

LOSS = "import tensorflow as tf\n\n\ndef loss(y_true, y_pred):\n    return tf.reduce_sum(tf.log(y_pred) * y_true)\n"
REPOSITORY = Path(__file__).parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="limits of processes are of POSIX")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for number in range(6):
        (tmp_path / f"m{number}.py").write_text(LOSS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, before: str = "", wrapped: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """``losslint ARGUMENTS`` after the Python ``before``, as a command below ``wrapped``."""
    program = f"import os, resource, sys\n{before}\nfrom losslint.cli import main\nmain(sys.argv[1:])"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [*wrapped, sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


SMALL_FILES = "resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))"


@posix
@pytest.mark.unmeasured
def test_a_cache_that_cannot_be_written_costs_nothing_else(tree: Path) -> None:
    plain = run("check", ".", "--no-cache")
    assert plain.returncode == 1 and "LL503" in plain.stdout
    full = run("check", ".", before=SMALL_FILES.format(2048))
    assert (full.returncode, full.stdout) == (1, plain.stdout) and "Traceback" not in full.stderr
    again = run("check", ".")
    assert (again.returncode, again.stdout) == (1, plain.stdout), "what is left of the cache is of use, or made anew"


@posix
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_disk_that_is_full_while_fixing_leaves_the_old_file(tree: Path, jobs: str) -> None:
    ran = run("check", "m0.py", "--fix", "--no-cache", "--jobs", jobs, before=SMALL_FILES.format(64))
    assert ran.returncode == 2 and "cannot write m0.py: File too large" in ran.stderr
    assert (tree / "m0.py").read_text() == LOSS
    assert sorted(os.listdir()) == [f"m{n}.py" for n in range(6)], "no half-written file is left beside it"


@posix
@pytest.mark.unmeasured
def test_a_report_that_cannot_be_written_is_an_error(tree: Path) -> None:
    ran = run("check", ".", "--no-cache", "--output-file", "out.txt", before=SMALL_FILES.format(64))
    assert ran.returncode == 2 and "out.txt" in ran.stderr and "Traceback" not in ran.stderr


MOUNTED = """
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
def check(status):
    if status:
        sys.exit("REFUSED")
uid, gid = os.getuid(), os.getgid()
check(libc.unshare(0x10000000 | 0x00020000))
open("/proc/self/uid_map", "w").write(f"{uid} {uid} 1")
open("/proc/self/setgroups", "w").write("deny")
open("/proc/self/gid_map", "w").write(f"{gid} {gid} 1")
here = os.getcwd().encode()
check(libc.mount(None, b"/", None, ctypes.c_ulong(16384 | 1 << 18), None))
"""
READ_ONLY = (
    MOUNTED
    + """
check(libc.mount(here, here, None, ctypes.c_ulong(4096), None))
check(libc.mount(None, here, None, ctypes.c_ulong(4096 | 32 | 1), None))
os.chdir(here)
"""
)
FULL = (
    MOUNTED
    + """
os.mkdir("cache")
check(libc.mount(b"tmpfs", here + b"/cache", b"tmpfs", ctypes.c_ulong(0), b"size=16k"))
"""
)


def mounted(*arguments: str, before: str) -> subprocess.CompletedProcess[str]:
    if sys.platform != "linux":
        pytest.skip("mounts are of Linux")
    ran = run(*arguments, before=before)
    if "REFUSED" in ran.stderr:
        pytest.skip("no mount namespace")
    return ran


def test_a_tree_that_is_read_only(tree: Path) -> None:
    plain = run("check", ".", "--no-cache")
    ran = mounted("check", ".", before=READ_ONLY)
    assert (ran.returncode, ran.stdout) == (1, plain.stdout) and "Traceback" not in ran.stderr
    fixing = mounted("check", "m0.py", "--fix", before=READ_ONLY)
    assert fixing.returncode == 2 and "cannot write m0.py: Read-only file system" in fixing.stderr
    assert (tree / "m0.py").read_text() == LOSS


def test_a_file_system_that_is_full(tree: Path) -> None:
    plain = run("check", ".", "--no-cache")
    ran = mounted("check", ".", "--cache-dir", "cache", before=FULL)
    assert (ran.returncode, ran.stdout) == (1, plain.stdout) and "Traceback" not in ran.stderr


def test_files_that_change_vanish_or_become_folders_meanwhile(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the moment they are found and the one they are read."""
    found = session.with_uses

    def meanwhile(targets: list[Target], *kept: Any) -> list[Target]:
        made = found(targets, *kept)
        (tree / "m0.py").unlink()
        (tree / "m1.py").unlink()
        (tree / "m1.py").mkdir()
        (tree / "m2.py").write_text("import tensorflow as tf\n\n\ndef loss(:\n")
        (tree / "m3.py").unlink()
        (tree / "m3.py").symlink_to(tree / "m3.py")
        return made

    monkeypatch.setattr(session, "with_uses", meanwhile)
    result = session.check(["."], Resolver(), cache=tree / "cache")
    codes = {name: {f.code for f in result.findings if f.filename == name} for name in result.files}
    assert [codes[f"m{n}.py"] for n in range(4)] == [{"LL001"}] * 4
    assert all("LL503" in codes[f"m{n}.py"] for n in (4, 5))
    assert result.status == 1


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="nothing is unreadable to the superuser")
def test_a_file_that_may_not_be_read(tree: Path) -> None:
    (tree / "m0.py").chmod(0)
    result = session.check(["."], Resolver())
    assert {f.code for f in result.findings if f.filename == "m0.py"} == {"LL001"}
    assert any(f.filename == "m1.py" for f in result.findings)


WRITING = """
import sys
from pathlib import Path
from losslint import files
old, new = (character.encode() * 300_000 for character in "on")
print("ready", flush=True)
while True:
    files.replace(Path(sys.argv[1]), new)
    files.replace(Path(sys.argv[1]), old)
"""


@posix
def test_whoever_is_killed_while_writing_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_bytes(b"o" * 300_000)
    for round_ in range(6):
        command = [sys.executable, "-c", WRITING, str(path)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
        ) as one:
            assert one.stdout is not None and one.stdout.readline()
            time.sleep(0.005 * round_)
            one.send_signal(signal.SIGKILL)
        data = path.read_bytes()
        assert len(data) == 300_000 and len(set(data)) == 1, "torn"


@posix
def test_what_is_no_file_is_neither_read_nor_waited_for(tree: Path) -> None:
    plain = run("check", ".", "--no-cache")
    (tree / "self.py").symlink_to(tree / "self.py")
    (tree / "loop").symlink_to(tree)
    (tree / "zero.py").symlink_to("/dev/zero")
    (tree / "folder.py").mkdir()
    for name in ("pipe.py", ".gitignore"):
        os.mkfifo(tree / name)
    ran = run("check", ".", "--no-cache")
    assert (ran.returncode, ran.stdout) == (1, plain.stdout) and "self.py" in ran.stderr


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv takes the right to read everything away")
def test_the_superuser_without_that_right_goes_on_as_well(tree: Path) -> None:
    (tree / "m0.py").chmod(0)
    wrapped = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
    ran = run("check", ".", "--no-cache", "--output-format", "concise", wrapped=wrapped)
    if "setpriv" in ran.stderr:
        pytest.skip("no such right to take away")
    assert ran.returncode == 1 and "m0.py:1:1: LL001" in ran.stdout and "m1.py" in ran.stdout


# -- faults of our own -----------------------------------------------------------------------------------------------


def test_a_fix_that_crashes_costs_the_fix_alone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base._load()

    def crashing(draft: Any, subject: Any) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setitem(base.FIXERS, "LL503", crashing)
    result = session.check(["m0.py"], Resolver({"min-severity": "info"}, isolated=True), jobs=1)
    found = {f.code: f for f in result.findings}
    assert found["LL503"].fix is None and found["LL302"].code and result.status == 2
    assert "the fix of LL503: ZeroDivisionError: on purpose" in found["LL004"].message


@pytest.mark.parametrize(
    ("error", "told"),
    [(ZeroDivisionError("on purpose"), "ZeroDivisionError: on purpose"), (RecursionError(), "nested too deeply")],
)
def test_an_analysis_that_crashes_costs_one_loss(
    tree: Path, error: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "m0.py").write_text(LOSS + "\n\n" + LOSS.partition("\n\n\n")[2].replace("def loss", "def other_loss"))
    plain = engine.trace

    def crashing(entry: Any, *rest: Any) -> Any:
        if entry.name == "loss":
            raise error
        return plain(entry, *rest)

    monkeypatch.setattr(engine, "trace", crashing)
    result = session.check(
        ["m0.py"], Resolver({"min-severity": "info", "select": ["LL302", "LL004"]}, isolated=True), jobs=1
    )
    assert [(f.code, f.function) for f in result.findings] == [("LL004", "loss"), ("LL302", "other_loss")]
    assert told in result.findings[0].message and result.status == 2
