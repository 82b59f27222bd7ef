"""The pool and the processes behind it, whatever becomes of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from losslint.confirm import pool as pools
from losslint.confirm import wire
from losslint.confirm.jobs import Bundle, File, Job, Limits
from losslint.confirm.pool import CannotStart, Closed, NoDevice, Pool, environment, resolve_device
from losslint.confirm.sandbox import SWITCHES
from tests.confirm.field import HONEST, RUNNER, Field, linux, loss, processes, settled

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def field(tmp_path: Path) -> Field:
    return Field(tmp_path)


def plain(**more: Any) -> Pool:
    """A pool without TensorFlow."""
    return Pool(runner=RUNNER, preload=False, **more)


def test_frames_arrive_in_any_pieces() -> None:
    data = wire.frame({"a": 1}) + wire.frame("") + wire.framed(b"x" * 300)
    for step in (1, 7, 300, len(data)):
        frames = wire.Frames()
        found = [f for i in range(0, len(data), step) for f in frames.feed(data[i : i + step])]
        assert found == [b'{"a": 1}', b'""', b"x" * 300]
        assert len(frames) == 0


# -- forked ------------------------------------------------------------------------------------------------------------


@linux
def test_jobs_run_side_by_side(field: Field) -> None:
    with ThreadPoolExecutor(8) as executor, plain() as pool:
        assert pool.enforced
        running = [executor.submit(pool.run, field.job("slow")) for _ in range(8)]
        assert settled(lambda: processes(pool.folder) >= 6)  # more than one job has
        assert [loss(one.result()) for one in running] == [HONEST] * 8


@linux
def test_a_job_may_be_large(field: Field) -> None:
    with plain() as pool:
        assert loss(pool.run(field.job("honest", padding="x" * (20 << 20)))) == HONEST


@linux
def test_closing_ends_everything_at_once(field: Field) -> None:
    with ThreadPoolExecutor(3) as executor:
        pool = plain()
        running = [
            executor.submit(pool.run, field.job(name)) for name in ("infinite_loop", "deaf_loop", "infinite_loop")
        ]
        assert settled(lambda: processes(pool.folder) >= 5)
        pool.close()
        assert all(isinstance(one.exception(timeout=60), Closed) for one in running)
    assert settled(lambda: processes(pool.folder) == 0)  # what was killed takes its time to leave
    assert not os.path.exists(pool.folder)
    with pytest.raises(Closed):
        pool.run(field.job("honest"))
    pool.close()


SCRIPT = """
import signal
from concurrent.futures import ThreadPoolExecutor
from losslint.confirm.pool import Pool

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may have been told to ignore it
with ThreadPoolExecutor(2) as executor, Pool(runner={runner!r}, preload=False, without={without!r}) as pool:
    assert pool.enforced
    print(pool.folder, flush=True)
    list(executor.map(pool.run, [{job!r}] * 6))
"""


@linux
@pytest.mark.unmeasured
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("without", [[], ["pid"]], ids=["", "without pid"])
def test_nothing_outlives_the_one_who_asked(field: Field, number: signal.Signals, without: list[str]) -> None:
    script = SCRIPT.format(runner=RUNNER, job=field.job("infinite_loop"), without=without)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as asking:
        assert asking.stdout is not None and asking.stderr is not None
        folder = asking.stdout.readline().strip()
        assert settled(lambda: processes(folder) >= 3)
        asking.send_signal(number)
        asking.wait(60)
        assert settled(lambda: processes(folder) == 0)
        if number == signal.SIGINT:
            assert asking.stderr.read().rstrip().endswith("KeyboardInterrupt")
    assert settled(lambda: not os.path.exists(folder))


CLOSED_FOLDERS = """
import os
from losslint.confirm import leftovers, sandbox

sandbox._drop_privileges()  # else nothing is closed to the user that tests may run as
os.makedirs("pool/a/b/c")
open("pool/a/b/c/file", "w").close()
os.symlink("../outside", "pool/a/link")
for folder, mode in (("pool/a/b/c", 0o500), ("pool/a/b", 0), ("pool/a", 0)):
    os.chmod(folder, mode)
leftovers.Remover(os.path.abspath("pool")).close()
"""


@linux
def test_folders_that_cannot_be_looked_into_are_removed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir(mode=0o750)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-c", CLOSED_FOLDERS], cwd=tmp_path, env=environment, check=True)
    assert os.listdir(tmp_path) == ["outside"]
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o750


@linux
def test_a_zygote_that_dies_is_replaced(field: Field) -> None:
    with ThreadPoolExecutor(3) as executor, plain() as pool:
        running = [executor.submit(pool.run, field.job("slow")) for _ in range(3)]
        assert settled(lambda: processes(pool.folder) >= 5)
        first = pool._zygote()
        first._process.kill()
        assert [loss(one.result()) for one in running] == [HONEST] * 3
        assert loss(pool.run(field.job("honest"))) == HONEST
        assert pool._zygote() is not first
        assert settled(lambda: processes(pool.folder) <= 2)


@linux
def test_who_kills_the_zygote_twice_crashes(field: Field) -> None:
    with ThreadPoolExecutor(2) as executor, plain(without=["pid", "landlock"]) as pool:
        attack, other = (executor.submit(pool.run, field.job(name)) for name in ("kills_its_parent", "slow"))
        assert attack.result().kind == "crash"
        assert "died, twice" in attack.result().detail
        assert loss(other.result()) == HONEST


@linux
def test_who_stops_the_zygote_is_found_out(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "_GRACE", 1.0)
    with plain(without=["pid", "landlock"], limits=Limits(seconds=5)) as pool:
        outcome = pool.run(field.job("stops_its_parent"))
        assert (outcome.kind, "died, twice" in outcome.detail) == ("crash", True), outcome
        assert loss(pool.run(field.job("honest"))) == HONEST
    assert settled(lambda: processes(pool.folder) == 0)


@linux
@pytest.mark.parametrize(
    "text, said",
    [("raise ImportError('no such thing here')", "no such thing here"), ("import os; os._exit(3)", "died|status 3")],
)
def test_what_cannot_be_imported_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    (tmp_path / "tensorflow.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(REPOSITORY)]))
    for more in ({}, {"resident": True}):
        with Pool(runner=RUNNER, **more) as pool:
            for ask in (lambda: pool.run({}), lambda: pool.versions, lambda: pool.enforced):
                with pytest.raises(CannotStart, match=said):
                    ask()
    pools._probe.cache_clear()
    with pytest.raises(CannotStart, match=f"{said}|could not be imported"):
        pools.devices()


@linux
def test_a_runner_that_is_not_there(field: Field) -> None:
    with Pool(runner="tests.confirm.no_runner:run", preload=False) as pool:
        outcome = pool.run(field.job("honest"))
    assert (outcome.kind, "No module named 'tests.confirm.no_runner'" in outcome.detail) == ("failed", True)


# -- resident ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def resident() -> Iterator[Pool]:
    with plain(resident=True, limits=Limits(seconds=4, memory=256 << 20, processes=8)) as made:
        yield made


@linux
def test_a_resident_worker_runs_job_after_job(resident: Pool, field: Field) -> None:
    with ThreadPoolExecutor(4) as executor:
        found = [loss(o) for o in executor.map(resident.run, [field.job("counts")] * 4)]
    assert sorted(found) == [1, 2, 3, 4]


@linux
@pytest.mark.parametrize(
    "name, kind, detail",
    [
        ("infinite_loop", "timeout", "no result"),
        ("huge_allocation", "memory", "of 256 MB allowed"),
        ("fork_bomb", "processes", "of 8 allowed"),
        ("floods", "output", "more than 1 MB"),
        ("leaves", "exit", "status 3"),
        ("segfaults", "crash", "SIGSEGV\nabout to fall"),
        ("raises", "failed", "no such loss"),
    ],
)
def test_what_brings_it_down_costs_its_own_outcome(
    resident: Pool, field: Field, name: str, kind: str, detail: str
) -> None:
    with ThreadPoolExecutor(3) as executor:
        jobs = [field.job(n) for n in ("honest", name, "honest")]
        before, attack, after = executor.map(resident.run, jobs)
    assert (attack.kind, detail in attack.detail) == (kind, True), attack
    assert loss(before) == loss(after) == HONEST
    assert field.unharmed()


@linux
def test_who_suffers_from_others_is_run_again_alone(field: Field) -> None:
    with plain(resident=True) as pool:
        assert [loss(pool.run(field.job("once"))) for _ in range(4)] == [HONEST] * 4
        assert settled(lambda: processes(pool.folder) == 4)  # the zygote, the worker, and what waits for each


# -- spawned -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, kind, detail",
    [
        ("honest", "done", ""),
        ("infinite_loop", "timeout", "no result after 1 s"),
        ("huge_allocation", "memory", "of 256 MB allowed"),
        ("fork_bomb", "processes", "of 8 allowed"),
        ("floods", "output", "more than 1 MB"),
        ("leaves", "exit", "exited with status 3"),
        ("segfaults", "crash", "killed by SIGSEGV\nabout to fall"),
        ("raises", "failed", "no such loss"),
        ("reads_stdin", "done", ""),
        ("forges_its_folder", "exit", "exited with status 3"),
        ("forges_links", "exit", "exited with status 3"),
        ("thread_bomb", "processes", "threads, of 1000 allowed"),
    ],
)
def test_a_fresh_interpreter_for_each(field: Field, name: str, kind: str, detail: str) -> None:
    # only what never ends may run into the limit of time: a slow machine takes long to start an interpreter
    limits = Limits(seconds=1 if kind == "timeout" else 30, memory=256 << 20, processes=8, threads=1000)
    with plain(start_method="spawn", limits=limits) as pool:
        outcome = pool.run(field.job(name))
        assert (outcome.kind, detail in outcome.detail) == (kind, True), outcome
        assert kind != "done" or loss(outcome) == HONEST
        assert outcome.enforced["network"].startswith("not enforced")
        assert settled(lambda: processes(pool.folder) == 0)
    assert field.unharmed()
    assert not os.path.exists(pool.folder)


def test_closing_ends_spawned_ones_too(field: Field) -> None:
    with ThreadPoolExecutor(1) as executor:
        pool = plain(start_method="spawn")
        running = executor.submit(pool.run, field.job("infinite_loop"))
        assert settled(lambda: processes(pool.folder) == 1)
        pool.close()
        assert isinstance(running.exception(2), Closed)
    assert processes(pool.folder) == 0


# -- devices and the environment -----------------------------------------------------------------------------------------


def test_devices_are_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "devices", lambda: ["cpu", "gpu:0", "gpu:1"])
    monkeypatch.setattr(pools, "_may_have_gpu", lambda: False)
    assert resolve_device("auto") == "cpu"  # TensorFlow is not even asked
    monkeypatch.setattr(pools, "_may_have_gpu", lambda: True)
    found = {wanted: resolve_device(wanted) for wanted in ("auto", "cpu", "gpu", "gpu:1")}
    assert found == {"auto": "gpu:0", "cpu": "cpu", "gpu": "gpu:0", "gpu:1": "gpu:1"}
    for wanted in ("gpu:2", "tpu", ""):
        with pytest.raises(NoDevice, match=r"TensorFlow finds cpu, gpu:0, gpu:1"):
            resolve_device(wanted)
    monkeypatch.setattr(pools, "devices", lambda: ["cpu"])
    assert resolve_device("auto") == "cpu"
    with pytest.raises(NoDevice, match="no device 'gpu': TensorFlow finds cpu"):
        resolve_device("gpu")


def test_the_environment_is_an_allow_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    secrets = ("TF_VAR_db_password", "TF_TOKEN_app_example_org", "TF_CLI_CONFIG_FILE", "NVIDIA_API_KEY", "CUDA_SECRET")
    secrets += (
        "TF_HTTP_ADDRESS",
        "LC_API",
        "LC_ALL_OF_IT",
        "TF_DB_PWD",
        "XLA_CREDS",
        "NVIDIA_NGC_PAT",
        "TF_SESSION_COOKIE",
    )
    for name in secrets:
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("TF_CONFIG", "{}")
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "1")
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    found = environment("/work", "gpu:1", "2")
    assert "secret" not in found.values() and "TF_CONFIG" not in found and found["TF_DETERMINISTIC_OPS"] == "1"
    assert (found["XLA_FLAGS"], found["PATH"]) == (os.environ["XLA_FLAGS"], os.environ["PATH"])
    assert (found["HOME"], found["CUDA_VISIBLE_DEVICES"], found["TF_USE_LEGACY_KERAS"]) == ("/work", "7", "1")
    assert environment("/work", "cpu", "3")["CUDA_VISIBLE_DEVICES"] == "-1"


def test_the_side_that_asks_imports_nothing_heavy() -> None:
    code = "import sys, losslint.confirm.pool; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert not set(loaded.stdout.split()) & {"tensorflow", "numpy", "keras", "psutil", "losslint.confirm.zygote"}


# -- with TensorFlow ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def warm() -> Iterator[Pool]:
    with Pool(runner=RUNNER, limits=Limits(memory=400 << 20)) as made:
        yield made


@pytest.mark.tf
@linux
def test_nothing_is_executed_in_the_zygote(warm: Pool, field: Field) -> None:
    known = "tensorflow" in sys.modules  # another test may have imported it
    assert warm.context_initialized is False
    with ThreadPoolExecutor(3) as executor:
        outcomes = list(executor.map(warm.run, [field.job("honest", tf=True)] * 5))
    for outcome in outcomes:
        assert outcome.kind == "done", outcome
        assert outcome.result == {"loss": HONEST, "gradient": [[1.0, 1.0]]}
    assert warm.context_initialized is False
    for _ in range(100):  # jobs that have answered take a moment to be gone
        if threads(warm) == 1:
            break
        time.sleep(0.1)
    assert threads(warm) == 1  # a lock that another one held would stay locked in a child
    assert warm.versions["device"] == "CPU" and warm.versions["keras"].startswith("3.")
    assert ("tensorflow" in sys.modules) == known


def threads(pool: Pool) -> int:
    """How many threads the zygote has, or the job that has most."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"HOME={pool.folder}".encode() in (process / "environ").read_bytes():
                found.append(len(list((process / "task").iterdir())))
        except OSError:
            pass
    return max(found)


@pytest.mark.tf
@linux
@pytest.mark.parametrize(
    "name, kind, detail",
    [
        ("aborts_in_tensorflow", "crash", "Dimension -4 must be >= 0"),
        ("huge_allocation_numpy", "memory", "allowed"),
        ("huge_allocation_tensorflow", "memory", "allowed"),
    ],
)
def test_attacks_with_tensorflow(field: Field, warm: Pool, name: str, kind: str, detail: str) -> None:
    with ThreadPoolExecutor(2) as executor:
        attack, other = executor.map(warm.run, [field.job(n, tf=True) for n in (name, "honest")])
    assert (attack.kind, detail in attack.detail) == (kind, True), attack
    assert loss(other) == HONEST


@pytest.mark.tf
@linux
def test_a_resident_worker_with_tensorflow(field: Field) -> None:
    with Pool(runner=RUNNER, resident=True) as pool:
        assert [loss(pool.run(field.job("honest", tf=True))) for _ in range(3)] == [HONEST] * 3
        assert pool.run(field.job("aborts_in_tensorflow", tf=True)).detail.startswith("killed by SIGABRT")
        assert loss(pool.run(field.job("honest", tf=True))) == HONEST
        assert pool.context_initialized is False


@pytest.mark.tf
def test_a_fresh_interpreter_with_tensorflow(field: Field) -> None:
    with Pool(runner=RUNNER, start_method="spawn", keras="2") as pool:
        assert pool.versions["keras"].startswith("2.")
        assert loss(pool.run(field.job("honest", tf=True))) == HONEST


@pytest.mark.tf
def test_devices_are_found() -> None:
    known = "tensorflow" in sys.modules
    pools._probe.cache_clear()
    assert pools.devices()[0] == "cpu"
    assert ("tensorflow" in sys.modules) == known


@pytest.mark.tf
@linux
def test_what_else_stands_in_the_file_is_never_run(field: Field) -> None:
    """By losslint's own runner; nothing but it keeps the file from deleting a folder here."""
    bundle = Bundle("attacks", {"attacks": File("attacks", field.path, Path(field.path).read_text())})
    kinds = {"honest": "done", "aborts_in_tensorflow": "crash"}
    declared = "y_true=float32[B,2] y_pred=float32[B,2]"
    jobs = [Job(bundle, name, inputs=declared, probes=("output",)).to_json() for name in kinds]
    with ThreadPoolExecutor(2) as executor, Pool(without=SWITCHES) as pool:
        outcomes = list(executor.map(pool.run, jobs))
        assert pool.context_initialized is False
    assert [outcome.kind for outcome in outcomes] == list(kinds.values())
    assert outcomes[0].result is not None and outcomes[0].result["ran"]
    assert field.unharmed()
