"""Jobs that attack: each costs its own outcome and nothing else."""

from __future__ import annotations

import dataclasses
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from losslint.confirm import landlock
from losslint.confirm.jobs import Limits, Outcome
from losslint.confirm.pool import Pool
from losslint.confirm.sandbox import SWITCHES
from tests.confirm.field import HONEST, RUNNER, Field, linux, loss, needs, processes, settled

LIMITS = Limits(seconds=10, memory=256 << 20, processes=8, threads=1000, output=1 << 20, disk=16 << 20)
REPOSITORY = Path(__file__).parents[2]
NAMED = {"time", "memory", "processes", "output", "disk", "files", "network", "environment", "stdin", "privileges"}


@pytest.fixture
def field(tmp_path: Path) -> Field:
    return Field(tmp_path)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    os.environ["LOSSLINT_SECRET"] = "s3cret"
    with Pool(runner=RUNNER, limits=LIMITS, preload=False) as made:
        yield made
    del os.environ["LOSSLINT_SECRET"]


def beside(pool: Pool, field: Field, name: str, **more: Any) -> Outcome:
    """The outcome of an attack; honest jobs before, during and after it are unharmed, and so is everything else."""
    with ThreadPoolExecutor(3) as executor:
        attack = executor.submit(pool.run, field.job(name, **more))
        others = [executor.submit(pool.run, field.job("honest")) for _ in range(3)]
        assert [loss(other.result()) for other in others] == [HONEST] * 3
    assert loss(pool.run(field.job("honest"))) == HONEST
    assert field.unharmed()
    return attack.result()


@linux
@pytest.mark.parametrize(
    "name, kind, detail",
    [
        ("huge_allocation", "memory", "of 256 MB allowed"),
        ("fork_bomb", "processes", "of 8 allowed"),
        ("floods", "output", "more than 1 MB written"),
        ("leaves", "exit", "exited with status 3"),
        ("leaves_politely", "exit", "exited with status 1"),
        ("kills_its_group", "crash", "killed by SIGKILL"),
        ("segfaults", "crash", "killed by SIGSEGV"),
        ("aborts", "crash", "killed by SIGABRT"),
        ("raises", "failed", "ValueError: no such loss"),
        ("returns_no_number", "failed", "not JSON serializable"),
        ("forges_a_result", "failed", "no result, but"),
        ("forges_a_number", "failed", "no result, but something of the kind int"),
        ("forges_a_fault", "failed", "no result, but something of the kind dict"),
        ("forges_a_length", "output", "more than 64 MB written"),
        ("unnamed_signal", "crash", "killed by signal 40"),
        ("thread_bomb", "processes", "threads, of 1000 allowed"),
    ],
)
def test_it_costs_its_own_outcome(pool: Pool, field: Field, name: str, kind: str, detail: str) -> None:
    outcome = beside(pool, field, name)
    assert (outcome.kind, outcome.result) == (kind, None), outcome
    assert detail in outcome.detail
    assert outcome.seconds < LIMITS.seconds
    assert set(outcome.enforced) == NAMED


@linux
@pytest.mark.parametrize("without", [[], ["pid"]], ids=["", "without pid"])
def test_its_time_is_bounded(field: Field, without: list[str]) -> None:
    limits = dataclasses.replace(LIMITS, seconds=1)
    with Pool(runner=RUNNER, limits=limits, preload=False, without=without) as pool:
        outcome = beside(pool, field, "deaf_loop")
        assert (outcome.kind, outcome.detail) == ("timeout", "no result after 1 s")
        assert outcome.seconds >= 1


@linux
@pytest.mark.parametrize(
    "name, limits",
    [
        ("writes", ["files"]),
        ("deletes", ["files"]),
        ("writes_to_its_folder", []),
        ("devices", ["files"]),
        ("mounts", ["files", "processes"]),
        ("reads_stdin", []),
        ("reads_secrets", ["processes"]),
        ("shared_allocation", []),
        ("signals_others", ["processes"]),
        ("reaches_for_the_first", ["processes"]),
        ("writes_through_its_files", ["files"]),
        ("holds_on", []),
        ("hides_its_folder", []),
    ],
)
def test_it_is_let_but_does_not_get_through(pool: Pool, field: Field, name: str, limits: list[str]) -> None:
    needs(pool, *limits)
    assert loss(beside(pool, field, name)) == HONEST


@linux
def test_the_disk_is_bounded(pool: Pool, field: Field) -> None:
    needs(pool, "files")
    assert 0 < loss(beside(pool, field, "fills_the_disk")) <= LIMITS.disk
    assert loss(beside(pool, field, "writes_to_its_folder")) == HONEST  # nothing of it is left


@linux
def test_what_it_wrote_last_is_told(pool: Pool, field: Field) -> None:
    assert pool.run(field.job("segfaults")).detail == "killed by SIGSEGV\nabout to fall"
    assert pool.run(field.job("floods")).detail == "more than 1 MB written"  # nothing of it can be printed


@linux
def test_what_it_started_ends_with_it(pool: Pool, field: Field) -> None:
    assert loss(beside(pool, field, "daemon")) == HONEST
    assert settled(lambda: processes(pool.folder) <= 2)  # the zygote, and what waits for it


@linux
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the attacks know the numbers of calls there")
@pytest.mark.parametrize("name", ["reads_keys", "reaches_for_others", "hides_memory", "leaves_shared_memory"])
@pytest.mark.parametrize("without", [[], ["pid"]], ids=["", "without pid"])
def test_calls_that_lead_outside_are_refused(field: Field, name: str, without: list[str]) -> None:
    with Pool(runner=RUNNER, limits=LIMITS, preload=False, without=without) as pool:
        assert loss(pool.run(field.job(name))) == HONEST


@linux
@pytest.mark.skipif(landlock.version() < 1, reason="no Landlock")
@pytest.mark.parametrize("without", [["user", "mount", "ipc", "net", "pid"], []], ids=["Landlock alone", "all"])
def test_landlock_holds_where_namespaces_are_refused(field: Field, without: list[str]) -> None:
    os.mkfifo(field.folder / "pipe")
    reading = os.open(field.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    names = ["writes", "deletes", "writes_to_its_folder", "writes_to_a_pipe", "reads_secrets", "reaches_for_the_first"]
    with Pool(runner=RUNNER, limits=LIMITS, preload=False, without=without) as pool:
        assert "Landlock" in pool.enforced["files"]
        assert {name: loss(pool.run(field.job(name))) for name in names} == dict.fromkeys(names, HONEST)
        assert field.unharmed()
    with Pool(runner=RUNNER, limits=LIMITS, preload=False, without=["landlock"]) as pool:
        assert loss(pool.run(field.job("writes_to_a_pipe"))) > HONEST, "the pipe is there, and somebody reads it"
    os.close(reading)


@linux
@pytest.mark.skipif(landlock.version() < 6, reason="no Landlock that is told of signals")
def test_no_signal_reaches_others(field: Field) -> None:
    with Pool(runner=RUNNER, limits=LIMITS, preload=False, without=["pid"]) as pool:
        assert loss(pool.run(field.job("signals_others"))) == HONEST
        for name in ("stops_its_parent", "kills_its_parent"):
            assert "Operation not permitted" in pool.run(field.job(name)).detail
        assert loss(pool.run(field.job("honest"))) == HONEST


# -- with less than everything -----------------------------------------------------------------------------------------


@pytest.fixture
def services(field: Field) -> Iterator[list[str]]:
    """What has reached a port of this machine, and a socket in the file system."""
    reached: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as network, socket.socket(socket.AF_UNIX) as local:
        (field.folder / "port").write_text(str(network.getsockname()[1]))
        local.bind(str(field.folder / "service"))
        local.listen()
        for service in (network, local):
            service.setblocking(False)
        yield reached


@linux
@pytest.mark.parametrize("without", [[], ["seccomp"], ["net"]], ids=" ".join)
def test_there_is_no_network(field: Field, services: list[str], without: list[str]) -> None:
    with Pool(runner=RUNNER, limits=LIMITS, preload=False, without=without) as pool:
        needs(pool, "network")
        assert loss(pool.run(field.job("connects"))) == HONEST
        local = loss(pool.run(field.job("connects_locally")))
        assert local == HONEST or "seccomp" not in pool.enforced["network"]


@linux
@pytest.mark.skipif(landlock.version() < landlock.TCP, reason="no Landlock that is told of connections")
def test_there_is_no_tcp_with_landlock_alone(field: Field, services: list[str]) -> None:
    with Pool(runner=RUNNER, limits=LIMITS, preload=False, without=["net", "seccomp"]) as pool:
        assert pool.enforced["network"] == "no TCP (Landlock), everything else is allowed"
        assert loss(pool.run(field.job("connects"))) == HONEST
        assert loss(pool.run(field.job("connects_locally"))) > HONEST


@linux
def test_a_network_is_owned_up_to(field: Field, services: list[str]) -> None:
    with Pool(runner=RUNNER, limits=LIMITS, preload=False, without=["net", "seccomp", "landlock"]) as pool:
        assert pool.enforced["network"].startswith("not enforced: switched off")
        assert loss(pool.run(field.job("connects"))) > HONEST
        assert loss(pool.run(field.job("connects_locally"))) > HONEST


@linux
@pytest.mark.parametrize("without", [SWITCHES, ["user"], ["pid"], ["mount", "landlock"]], ids=" ".join)
def test_limits_hold_without(field: Field, without: list[str]) -> None:
    with Pool(runner=RUNNER, limits=LIMITS, preload=False, without=without) as pool:
        for limit, switch in {"files": "mount", "network": "net"}.items():
            if switch in without:
                assert pool.enforced[limit].startswith("not enforced: switched off")
        kinds = {
            "huge_allocation": "memory",
            "fork_bomb": "processes",
            "floods": "output",
            "aborts": "crash",
            "daemon": "done",
            "writes_to_its_folder": "done",
            "reads_stdin": "done",
        }
        with ThreadPoolExecutor(3) as executor:
            outcomes = dict(zip(kinds, executor.map(pool.run, map(field.job, kinds)), strict=True))
        assert {name: outcome.kind for name, outcome in outcomes.items()} == kinds
        assert loss(outcomes["writes_to_its_folder"]) == loss(outcomes["reads_stdin"]) == HONEST
        assert settled(lambda: processes(pool.folder) <= 2)
        assert settled(lambda: not any(Path(pool.folder).glob("*/*")))  # the working folders
    assert processes(pool.folder) == 0
    assert not os.path.exists(pool.folder)


@linux
def test_what_the_system_refuses_is_owned_up_to(pool: Pool, field: Field) -> None:
    needs(pool, "files", "processes")
    outcome = pool.run(field.job("starts_a_pool"))  # a job is allowed next to nothing, a pool in one neither
    assert outcome.kind == "done" and outcome.result is not None, outcome
    kind, result, enforced = outcome.result["loss"]
    assert (kind, result["loss"]) == ("done", HONEST)
    assert enforced["files"] == "Landlock" or enforced["files"].startswith("not enforced: EPERM")
    assert enforced["network"] == "no sockets (seccomp)"
    assert "(no pid namespace: " in enforced["processes"]
    assert set(enforced) == NAMED


MOUNT_BY_MOUNT = """
from pathlib import Path
from losslint.confirm import sandbox

sandbox._unshare(["user", "mount"])
sandbox._mount("", "/", sandbox._REC | sandbox._PRIVATE)
sandbox._lock_each_mount()
for folder in ({folder!r}, "/", "/dev/shm"):
    try:
        Path(folder, "written").write_text("written")
    except OSError as error:
        print(error.strerror)
"""


@linux
def test_an_older_kernel_locks_mount_by_mount(pool: Pool, tmp_path: Path) -> None:
    needs(pool, "files")
    script = MOUNT_BY_MOUNT.format(folder=str(tmp_path))
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert ran.stdout.splitlines() == ["Read-only file system"] * 3
