"""What the client and a worker of a cluster do, each by itself: without a scheduler."""

from __future__ import annotations

import os
import shutil
import sys
import types
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from losslint import __version__, cluster, dependencies, discovery, session
from losslint.confirm.jobs import Limits, Outcome
from losslint.discovery import Target
from losslint.executor import NoCluster
from losslint.settings import Resolver

LOSS = "import tensorflow as tf\nfrom helper import safe\n\n\ndef loss(y_true, y_pred):\n    return -y_true * safe(y_pred)\n"
HELPER = "import tensorflow as tf\n\n\ndef safe(x):\n    return tf.math.log(tf.nn.relu(x))\n"


class Client:
    """As far as a client of dask is used: what it is given to do, it does here, or raises ``fails``."""

    def __init__(self, *workers: dict[str, Any], told: object = None, fails: tuple[str, ...] = ()) -> None:
        self.workers, self.told, self.fails = workers, told, fails
        self.closed = False
        self.asked: list[dict[str, Any]] = []

    def run(self, function: Callable[[], object]) -> object:
        if isinstance(self.told, Exception):
            raise self.told
        return {n: function() for n, _ in enumerate(self.workers)} if self.told is None else self.told

    def scheduler_info(self) -> dict[str, Any]:
        return {"workers": {str(n): worker for n, worker in enumerate(self.workers)}}

    def nthreads(self) -> tuple[dict[str, Any], ...]:
        return self.workers

    def scatter(self, value: object, **_: object) -> object:
        return value

    def get_executor(self, **_: object) -> Client:
        return self

    def submit(self, function: Callable[..., object], *arguments: Any, **options: Any) -> Future[object]:
        self.asked.append(options)
        future: Future[object] = Future()
        if any(name in str(arguments) for name in self.fails):
            future.set_exception(ConnectionError("gone"))
        else:
            future.set_result(function(*arguments))
        return future

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], Any]:
    """``cluster.connected``, where there is this client, or this error."""

    def connected(client: object) -> Any:
        def made(address: str, **_: object) -> object:
            assert address == "tcp://there:1"
            if isinstance(client, Exception):
                raise client
            return client

        monkeypatch.setitem(sys.modules, "distributed", types.SimpleNamespace(Client=made))
        return cluster.connected("tcp://there:1")

    return connected


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (OSError("timed out"), "no scheduler answers at tcp://there:1: timed out; start one with: dask scheduler"),
        (ValueError(), "no scheduler answers at tcp://there:1: ValueError"),
        (Client(told=ModuleNotFoundError("No module named 'losslint'")), "cannot import losslint: No module named"),
        (Client(), "has no workers; start some with: dask worker tcp://there:1"),
        (
            Client(told={"a": "0.0.1", "b": __version__, "c": "0.0.0"}),
            f"have losslint 0.0.0, 0.0.1, {__version__}, not",
        ),
    ],
)
def test_a_cluster_that_cannot_be_used(client: object, told: str, connect: Callable[[object], Any]) -> None:
    with pytest.raises(NoCluster) as caught:
        connect(client)
    assert told in str(caught.value)
    assert not isinstance(client, Client) or client.closed


def test_one_that_can(connect: Callable[[object], Any]) -> None:
    client = Client({}, {})
    assert connect(client) is client and not client.closed


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "requirements.txt").write_text("tensorflow==2.13.*\n")
    (folder / "helper.py").write_text(HELPER)
    for name in ("a", "b", "c"):
        (folder / f"{name}.py").write_text(LOSS)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(dependencies, "_told", {})
    return folder


def targets() -> list[Target]:
    return discovery.find(["."], Resolver({"min-severity": "info"}, isolated=True)).targets


def test_a_worker_needs_no_file_of_the_project(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = session.check(["."], Resolver({"min-severity": "info"}, isolated=True), jobs=1)
    assert ("LL401", "helper.py") in {(f.code, f.filename) for f in here.findings}
    found = targets()
    jobs = [(t, dependencies.declared(t.path.parent)) for t in found]
    assert jobs[0][1][0].specifier == "==2.13.*"
    tree = cluster._tree(str(project), found)
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(project)
    dependencies.forget()
    made = cluster.report_remote(tree, str(project), jobs)
    assert [r.target.filename for r in made] == ["a.py", "b.py", "c.py", "helper.py"]
    found_there = {(f.code, f.span, os.path.relpath(project / f.filename, project)) for r in made for f in r.findings}
    assert found_there == {(f.code, f.span, f.filename) for f in here.findings}
    assert dependencies.declared(project) == jobs[0][1]


def test_marks_of_a_project_go_along_without_what_they_hold(project: Path) -> None:
    (project / "setup.py").write_text("x = 1\n")
    (project / "setup.cfg").write_text("[metadata]\n")
    (project / "deep" / "text.txt").write_text("no Python\n")
    (project / "venv").mkdir()
    (project / "venv" / "left_out.py").write_text("x = 1\n")
    tree = cluster._tree(str(project), [])
    names = {os.path.relpath(path, project): data for path, data in tree.items()}
    assert names["setup.py"] == b"x = 1\n" and names["helper.py"] == HELPER.encode()
    assert names[".git"] == b""
    assert not {"deep/text.txt", "venv/left_out.py"} & names.keys()


def test_a_file_that_kills_workers_costs_itself_alone(project: Path, connect: Callable[[object], Any]) -> None:
    client = Client({}, fails=("'b.py'",))
    connect(client)
    made = list(cluster.reports(targets(), "tcp://there:1"))
    assert client.closed
    assert [r.target.filename for r in made] == ["a.py", "b.py", "c.py", "helper.py"]
    [found] = made[1].findings
    assert (found.code, made[1].whole) == ("LL004", False) and "died (ConnectionError)" in found.message
    assert all(r.whole and "LL004" not in {f.code for f in r.findings} for r in made if r is not made[1])


@pytest.mark.parametrize(
    ("workers", "device", "resources"),
    [
        ([{}, {"resources": {"GPU": 1}}], "auto", {"GPU": 1}),
        ([{}, {"resources": {"GPU": 1}}], "gpu", {"GPU": 1}),
        ([{}, {"resources": {"GPU": 1}}], "cpu", None),
        ([{"resources": {"memory": 1}}, {}], "auto", None),
    ],
)
def test_where_losses_run(
    workers: list[dict[str, Any]], device: str, resources: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Pool:
        def __init__(self) -> None:
            self.versions = {"tensorflow": "2.21"}

        def run(self, job: dict[str, Any]) -> Outcome:
            return Outcome("done", job)

    monkeypatch.setattr(cluster, "_pool", lambda *settings: Pool())
    client = Client(*workers)
    pool = cluster.RemotePool(client, device, "", Limits())
    assert pool.run({"name": "loss"}).result == {"name": "loss"}
    assert pool.versions == {"tensorflow": "2.21"}
    assert client.asked[0].get("resources") == resources
    pool.close()
    assert not client.closed


def test_a_worker_that_dies_is_no_verdict() -> None:
    pool = cluster.RemotePool(Client({}, fails=("loss",)), "cpu", "", Limits())
    outcome = pool.run({"name": "loss"})
    assert (outcome.kind, outcome.detail) == ("crash", "the workers that ran it died: ConnectionError")
