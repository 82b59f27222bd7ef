"""``check`` without ``--confirm`` runs nothing of what it looks at. The interpreter itself is asked, by an audit hook."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

WATCH = '''
import json, os, sys
log = os.open(os.environ["AUDIT_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
LEADS_OUT = ("subprocess", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.kill", "os.remove",
             "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.link", "os.symlink", "os.truncate", "os.utime",
             "shutil", "pickle", "ctypes", "socket", "sqlite3.connect", "webbrowser", "pty", "code.__new__")
def hook(event, args):
    if event == "exec":
        told = [args[0].co_filename]
    elif event == "import":
        told = [args[0], args[1] or ""]
    elif event == "open":
        if not isinstance(args[2], int) or not args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            return
        told = [args[0]]
    elif event.startswith(LEADS_OUT):
        told = list(args)[:2]
    else:
        return
    os.write(log, (json.dumps([event, *(os.fsdecode(t) if isinstance(t, bytes) else str(t) for t in told)]) + "\\n").encode())
sys.addaudithook(hook)
'''  # fmt: skip

STRIKES = "import os\nos.close(os.open({marker!r}, os.O_CREAT))\n"
LOSS = """
import tensorflow as tf
import keras
import helper

print(eval("__import__('helper')"), exec("import helper"))

@helper.decorated
def my_loss(y_true, y_pred, scale=helper.strike()):
    return tf.log(y_pred) * helper.penalty(y_true) * eval("helper.strike()")

class MyLoss(keras.losses.Loss):
    strike = helper.strike()

    def call(self, y_true, y_pred):
        return tf.reduce_sum(y_true - y_pred)

model = keras.Sequential()
model.compile(loss=my_loss)
"""
MODULES = (
    "helper",
    "tensorflow",
    "keras",
    "click",
    "libcst",
    "rich",
    "json",
    "conftest",
    "setup",
    "evil",
    "usercustomize",
)


class _Bomb:
    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.marker,)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in which everything strikes that may be imported, executed or unpickled."""
    work, strike = tmp_path / "work", STRIKES.format(marker=str(tmp_path / "marker"))
    work.mkdir()
    (work / "train.py").write_text(strike + LOSS)
    for name in MODULES:
        (work / f"{name}.py").write_text(strike + "import tensorflow as tf\n\ndef penalty(x):\n    return tf.sqrt(x)\n")
    (work / "notebook.ipynb").write_text(
        json.dumps({"cells": [{"cell_type": "code", "source": strike + LOSS}], "metadata": {}, "nbformat": 4})
    )
    for name in ("evil-1.0.dist-info", "evil.egg-info"):
        (work / name).mkdir()
        (work / name / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
        (work / name / "entry_points.txt").write_text("[losslint.rules]\nevil = evil\n")
    (work / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'evil'\nbackend-path = ['.']\n"
        "[project]\nname = 'evil'\n[project.entry-points.'losslint.rules']\nevil = 'evil'\n[tool.losslint]\nkeras = '3'\n"
    )
    (work / "setup.cfg").write_text("[options]\ninstall_requires = tensorflow\n")
    bomb = pickle.dumps(_Bomb(str(tmp_path / "marker")))
    (work / ".losslint_cache").mkdir()
    for name in ("cache.db", "cache.db-wal", "cache.pickle", "losses.pkl"):
        (work / ".losslint_cache" / name).write_bytes(bomb)
    return work


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("jobs", "options"), [("1", []), ("2", []), ("1", ["--unsafe-fixes", "--diff"])], ids=["one", "two", "diff"]
)
def test_nothing_of_a_project_is_executed(project: Path, jobs: str, options: list[str]) -> None:
    site, log = project.parent / "site", project.parent / "log"
    site.mkdir()
    (site / "sitecustomize.py").write_text(WATCH)
    path = os.pathsep.join([str(site), str(REPOSITORY)])
    environment = {**os.environ, "PYTHONPATH": path, "AUDIT_LOG": str(log)}
    environment.pop("PYTHONSAFEPATH", None)
    for _ in range(2):  # the second time from the cache
        command = [sys.executable, "-m", "losslint", "check", ".", "--jobs", jobs, *options]
        ran = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
        assert ran.returncode == 1, ran.stderr
        assert "LL401" in ran.stdout or "+    return" in ran.stdout
    assert not (project.parent / "marker").exists()

    events = [json.loads(line) for line in log.read_text().splitlines()]
    inside = str(project) + os.sep
    assert [e for e in events if e[0] == "import" and e[1] == "losslint.cli"], "the hook is there"
    assert not [e for e in events if e[0] == "exec" and e[1].startswith((inside, "train", "helper", "./"))]
    assert not [e for e in events if e[0] == "import" and e[2].startswith(inside)]
    own = str(project / ".losslint_cache") + os.sep
    written = {e[1] for e in events if e[0] in ("open", "sqlite3.connect") or e[0].startswith(("os.re", "os.mk"))}
    elsewhere = {p for p in written if not os.path.join(project, p).startswith(own.rstrip(os.sep))}
    assert elsewhere <= {os.devnull}, "only the cache is written"
    assert not [e for e in events if e[0].startswith(("subprocess", "os.sy", "os.exec", "os.spawn", "socket.con"))]
    if jobs == "1":
        assert not [e for e in events if e[0].startswith(("pickle", "ctypes", "os.fork", "os.posix", "socket"))]
    else:  # reports travel between processes of our own; no file is unpickled
        found = {e[1] for e in events if e[0] == "pickle.find_class"}
        assert not found & set(MODULES) and "os" not in found and "posix" not in found
