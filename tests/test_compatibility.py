"""What docs/compatibility.md promises. A test that fails here is a promise that is about to be broken, or a new one.

What is taken away needs a new major version, or an entry in the changelog before 1.0; what is new is added here by hand.
"""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from losslint import rulebook, settings
from losslint.cli import commands
from losslint.findings import Finding, Fix, Severity, Span, Verdict
from losslint.reporters.json import finding_json
from tests.command import losslint
from tests.rule_pages import ROOT

DOCUMENT = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
RULES = """
LL001=syntax-error LL002=unused-suppression LL003=unknown-suppression LL004=analysis-failed LL101=non-scalar-loss
LL102=sequence-loss LL103=missing-return LL104=scalar-keras-loss LL105=rank-mismatch-broadcast
LL106=unaligned-loss-subclass LL107=batch-axis-reduction LL108=unreduced-keras-loss LL109=masked-mean-over-padding
LL110=squeeze-without-axis LL201=no-gradient-path LL202=zero-gradient LL203=dead-loss-term LL204=unused-prediction
LL205=leaves-tensorflow LL206=python-function-op LL207=metric-as-loss LL208=detached-prediction LL209=outside-tape
LL210=discarded-result LL301=normalize-after-nonlinearity LL302=unnormalized-batch-sum LL303=double-normalization
LL304=mixed-batch-scaling LL305=hardcoded-batch-size LL306=static-batch-dimension LL307=batch-axis-activation
LL308=batch-coupled LL309=order-dependent LL310=replica-scaling LL311=extent-scaled LL401=unclipped-log
LL402=vanishing-epsilon LL403=clip-after-log LL404=unguarded-division LL405=epsilon-outside-denominator
LL406=singular-gradient LL407=where-nan-gradient LL408=double-activation LL409=unfused-composition
LL410=overflowing-exp LL411=domain-edge LL412=maximized-similarity LL413=nan-label-mask
LL501=python-branch-on-tensor LL502=python-loop-on-tensor LL503=unknown-api LL504=loss-init-positional
LL505=loss-overrides-call LL506=loss-config-lost LL507=variable-in-loss LL508=frozen-python-state
LL509=bad-loss-callable LL510=swapped-arguments LL511=float-label-index LL512=dtype-mix LL513=symbolic-closure
LL514=ignored-loss-list LL515=xla-hostile-op LL516=list-of-variables
"""
KEYS = """
baseline exclude extend-exclude extend-select facts fail-on file-seconds file-steps fix ignore inputs keras
loss-names metric-names min-severity not-loss-names per-file-ignores respect-gitignore select severity tensorflow
unsafe-fixes
"""
OPTIONS = """
--add-ignore --baseline --budget --cache-dir --cluster --config --confirm --device --diff --exclude --exit-zero
--extend-exclude --extend-select --fail-on --fix --force-exclude --ignore --isolated --jobs --keras --min-severity
--no-cache --no-fix --no-progress --no-respect-gitignore --no-trust-refuted --no-unsafe-fixes --output-file
--output-format --per-file-ignores --progress --report --repro --respect-gitignore --select --show-files
--show-settings --statistics --stdin-filename --tensorflow --timeout --trust-refuted --unsafe-fixes
--write-baseline -e -j -n -o
"""
COMMANDS = "check config confirm explain facts rules server"
FIELDS = """
code name severity message filename cell location end_location function consumer fix url verdict witness device tensorflow
"""
AFTER_A_RUN = "reason tried assumed seed"
RULE_FIELDS = "code name severity severities family summary fixable probe added url"
BAD = "import tensorflow as tf\n\ndef loss(y_true, y_pred):\n    return tf.reduce_sum(y_true - y_pred)\n"


def test_rules() -> None:
    assert {code: rule.name for code, rule in rulebook.rules().items()} == dict(r.split("=") for r in RULES.split())


def test_keys_and_options() -> None:
    assert sorted([*settings._FIELDS, *settings._SELECTING]) == KEYS.split()
    options = {o for p in commands()["check"].params for o in (*p.opts, *p.secondary_opts) if o.startswith("-")}
    assert sorted(options) == OPTIONS.split()
    assert sorted(commands()) == COMMANDS.split()


def test_fields() -> None:
    span = Span(1, 1, 1, 2)
    finding = Finding("LL302", Severity.WARNING, "m", "a.py", span, "loss")
    assert list(finding_json(finding)) == FIELDS.split()
    told = finding_json(dataclasses.replace(finding, verdict=Verdict("confirmed", "r"), fix=Fix("safe", "m", ())))
    assert set(told) == {*FIELDS.split(), *AFTER_A_RUN.split()}
    assert set(told["fix"]) == {"applicability", "message", "edits"} and set(told["location"]) == {"row", "column"}
    ran = losslint("rules", "--format", "json")
    assert all(list(rule) == RULE_FIELDS.split() for rule in json.loads(ran.out))


def test_what_is_promised_is_written_down() -> None:
    words = set(re.findall(r"`([^`]+)`", DOCUMENT))
    assert {*FIELDS.split(), *AFTER_A_RUN.split(), *RULE_FIELDS.split()} <= words


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["sound.py"], 0),
        (["bad.py"], 1),
        (["bad.py", "--exit-zero"], 0),
        (["bad.py", "--fail-on", "error"], 0),
        (["missing.py"], 2),
        (["--no-such-option"], 2),
        (["bad.py", "--select", "LL999"], 2),
        (["bad.py", "--config", "steps.toml"], 2),
        (["broken.py"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_exit_status(tmp_path: Path, arguments: list[str], status: int) -> None:
    (tmp_path / "sound.py").write_text("x = 1\n")
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "broken.py").write_text("import tensorflow\ndef loss(:\n")
    (tmp_path / "steps.toml").write_text("file-steps = 1\n")
    assert losslint("check", *arguments, cwd=tmp_path).status == status
