"""A real scheduler and two real workers, as processes; one of them is killed in the middle."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from losslint import executor, session
from losslint.discovery import Target
from losslint.report import Report
from losslint.settings import Resolver
from tests.command import losslint
from tests.rule_pages import ROOT

LOSS = "import tensorflow as tf\nfrom lib import helper\n\ndef loss_{n}(y_true, y_pred):\n    return -y_true * helper.safe(y_pred) * tf.math.log(y_pred)\n"
HELPER = "import tensorflow as tf\n\ndef safe(x):\n    return tf.math.log(tf.nn.relu(x))\n"


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    (tmp_path / "a.py").write_text("x = 1\n")
    ran = losslint("check", "--isolated", "--no-cache", "--cluster", "tcp://127.0.0.1:1", "a.py", cwd=tmp_path)
    assert ran.status == 2 and "pip install 'losslint[cluster]'" in ran.err


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        self.processes = [self._start("scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1", cwd=folder)]
        self.address = self._read(self.processes[0], r"Scheduler at:\s+(tcp://\S+)")
        self.workers = [
            self._start("worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard", cwd=folder)
            for _ in range(workers)
        ]
        for worker in self.workers:
            self._read(worker, r"Registered to:\s+(\S+)")
        self.processes += self.workers

    def _start(self, kind: str, *arguments: str, cwd: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", kind, *arguments],
            cwd=cwd, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def _read(self, process: subprocess.Popen[str], pattern: str) -> str:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            found = re.search(pattern, line)
            if found:
                threading.Thread(target=process.stdout.read, daemon=True).start()  # so that it can go on writing
                return found[1]
        raise AssertionError("".join(seen))

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    made = Cluster(elsewhere, workers=2)
    yield made
    made.close()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "lib").mkdir(parents=True)
    (folder / "setup.py").write_text("")
    (folder / "lib" / "__init__.py").write_text("")
    (folder / "lib" / "helper.py").write_text(HELPER)
    for n in range(60):
        (folder / f"m{n:02}.py").write_text(LOSS.format(n=n))
    (folder / "broken.py").write_text("x = \n")
    monkeypatch.chdir(folder)
    return folder


def test_each_file_is_reported_once_though_a_worker_is_killed(
    cluster: Cluster, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = Resolver({"min-severity": "info"}, isolated=True)
    expected = session.check(["."], resolver, jobs=1)
    assert len(expected.findings) > 60

    plain = executor.reports

    def killing(targets: list[Target], jobs: int, address: str) -> Iterator[Report]:
        for number, report in enumerate(plain(targets, jobs, address)):
            if number == 3:  # most of the files are under way, or wait for the workers
                cluster.workers[0].send_signal(signal.SIGKILL)
            yield report

    monkeypatch.setattr(executor, "reports", killing)
    found = session.check(["."], resolver, cluster=cluster.address)
    assert cluster.workers[0].wait() == -signal.SIGKILL
    monkeypatch.undo()
    assert found.findings == expected.findings
    assert found.files == expected.files and len(set(found.files)) == len(found.files) == 64
    os.chdir(project)
    again = session.check(["."], resolver, cluster=cluster.address)  # with the one that is left
    assert again.findings == expected.findings


@pytest.mark.tf
def test_losses_are_confirmed_there(cluster: Cluster, tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text(
        "import tensorflow as tf\n\ndef my_loss(y_true, y_pred):\n    return -tf.reduce_mean(y_true * tf.math.log(tf.nn.relu(y_pred)))\n"
    )
    arguments = (
        "check",
        "--isolated",
        "--no-cache",
        "--select",
        "LL401",
        "--confirm",
        "--device",
        "cpu",
        "--output-format",
        "json",
    )
    there = losslint(*arguments, "--cluster", cluster.address, source)
    here = losslint(*arguments, source)
    verdicts = [[f["verdict"] for f in json.loads(ran.out)] for ran in (there, here)]
    assert verdicts == [["confirmed"]] * 2, there.err
