"""The action and the snippets for CI: they hold to the schemas of GitHub and GitLab, and the action's script runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parent.parent
ACTION = REPOSITORY / "action.yml"
SUM = (
    "import tensorflow as tf\n\n\ndef sum_loss(y_true, y_pred):\n"
    "    return tf.reduce_sum(tf.square(y_true - y_pred))\n\n\nmodel.compile(loss=sum_loss)\n"
)


def holds_to(schema: str, path: Path) -> None:
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", path]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def snippet(heading: str) -> str:
    """The YAML under that heading of docs/ci.md."""
    text = (REPOSITORY / "docs" / "ci.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {heading}$.*?```yaml\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_action_is_one() -> None:
    holds_to("github-actions", ACTION)


def test_the_snippets_are_what_they_say(tmp_path: Path) -> None:
    workflow = tmp_path / "workflow.yml"
    workflow.write_text("on: push\n" + snippet("GitHub"))
    holds_to("github-workflows", workflow)
    pipeline = tmp_path / ".gitlab-ci.yml"
    pipeline.write_text(snippet("GitLab"))
    holds_to("gitlab-ci", pipeline)
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    used = yaml.safe_load(snippet("pre-commit"))
    assert {h["id"] for h in used[0]["hooks"]} == {h["id"] for h in hooks}
    inputs = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["inputs"]
    assert yaml.safe_load(snippet("GitHub"))["jobs"]["losslint"]["steps"][1]["with"].keys() <= inputs.keys()


def action(folder: Path, **inputs: str) -> "subprocess.CompletedProcess[str]":
    """What the step that checks does, in ``folder``."""
    steps = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]
    (step,) = (s for s in steps if s.get("id") == "check")
    script = folder / "step.sh"
    script.write_text(step["run"], encoding="utf-8")
    given = {"PATHS": ".", "ARGUMENTS": "", "CONFIRM": "false", "SARIF": "losslint.sarif"} | inputs
    assert given.keys() == step["env"].keys()
    (folder / "bin").mkdir(exist_ok=True)
    command = folder / "bin" / "losslint"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m losslint "$@"\n')
    command.chmod(0o755)
    environment = (
        os.environ
        | given
        | {
            "GITHUB_OUTPUT": str(folder / "output"),
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
        }
    )
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]  # as GitHub runs `shell: bash`
    return subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.skipif(os.name == "nt", reason="the runner's bash")
def test_the_step_of_the_action_annotates_and_writes_the_log(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SUM)
    (tmp_path / "b.py").write_text("x = 1\n")
    ran = action(tmp_path, PATHS="a.py b.py", ARGUMENTS="--isolated")
    assert ran.returncode == 1 and ran.stdout.startswith("::warning title=losslint (LL302),file=a.py,line=5")
    assert '"ruleId": "LL302"' in (tmp_path / "losslint.sarif").read_text()
    assert (tmp_path / "output").read_text() == "sarif=losslint.sarif\n"
    assert action(tmp_path, PATHS="b.py").returncode == 0
    assert action(tmp_path, ARGUMENTS="--fail-on never").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="the runner's bash")
def test_no_input_of_the_action_is_run(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("x = 1\n")
    for name in ("PATHS", "ARGUMENTS", "CONFIRM", "SARIF"):
        action(tmp_path, **{name: "$(touch pwned) `touch pwned`; touch pwned"})
    assert not (tmp_path / "pwned").exists()
