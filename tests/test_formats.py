"""The formats for services, each read back by what reads it elsewhere."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from losslint import reporters, rulebook
from losslint.findings import CONFIRMED, REFUTED, Edit, Finding, Fix, Severity, Span, Step, Verdict
from losslint.fingerprints import fingerprints
from losslint.reporters.json import array
from losslint.reporters.lines import plain
from losslint.session import Result
from tests.command import losslint

FIXTURES = Path(__file__).parent.parent / "fixtures" / "unsound"
TEXT = "import tensorflow as tf\n\ndef f(p):\n    q = tf.round(p)\n    return tf.math.log(q)\n"
CUT = Finding(
    "LL201",
    Severity.ERROR,
    "No gradient reaches p, 100%",
    "src/a b.py",
    Span(4, 9, 4, 20),
    "f",
    "keras",
    help="use the\nsoft values",
    path=(Step("p", Span(3, 7, 3, 8)), Step("tf.round", Span(4, 9, 4, 20), "src/other.py"), Step("return", None)),
)
LOG = Finding(
    "LL401",
    Severity.INFO,
    "log reaches 0",
    "src/a b.py",
    Span(5, 12, 5, 26),
    "f",
    fix=Fix("unsafe", "Clip it", (Edit(Span(5, 24, 5, 25), "tf.clip_by_value(q, 1e-7, 1.0)"),)),
)


def result(*findings: Finding) -> Result:
    return Result(list(findings), ["clean.py", "src/a b.py"], failing=1, texts={"src/a b.py": TEXT})


def rendered(form: str, *findings: Finding) -> str:
    return "\n".join(plain(reporters.render(result(*findings), form)))


def log(*findings: Finding) -> dict:  # type: ignore[type-arg]
    found = json.loads(rendered("sarif", *findings))
    pytest.importorskip("sarif_pydantic", reason="sarif-pydantic is not installed").Sarif.model_validate(found)
    return dict(found["runs"][0])


def test_sarif_says_what_where_and_how() -> None:
    run = log(CUT, LOG)
    rule = run["tool"]["driver"]["rules"][0]
    assert (rule["id"], rule["name"], rule["help"]["markdown"]) == (
        "LL201",
        "no-gradient-path",
        rulebook.find("LL201").page,
    )
    cut, logarithm = run["results"]
    assert (cut["ruleId"], cut["ruleIndex"], cut["level"]) == ("LL201", 0, "error")
    assert (logarithm["ruleIndex"], logarithm["level"]) == (1, "note")
    place = cut["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "src/a%20b.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 4, "startColumn": 9, "endLine": 4, "endColumn": 20}
    assert cut["message"]["text"] == "No gradient reaches p, 100%. Use the\nsoft values"
    (flow,) = cut["codeFlows"][0]["threadFlows"]
    stops = [stop["location"] for stop in flow["locations"]]
    assert [stop["message"]["text"] for stop in stops] == ["p", "tf.round", "return"]
    assert stops[1]["physicalLocation"]["artifactLocation"]["uri"] == "src/other.py"
    assert "physicalLocation" not in stops[2]
    (replacement,) = logarithm["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacement["deletedRegion"] == {"startLine": 5, "startColumn": 24, "endLine": 5, "endColumn": 25}
    assert replacement["insertedContent"]["text"].startswith("tf.clip_by_value")


def test_sarif_suppresses_what_a_run_refutes_and_shows_the_evidence() -> None:
    import dataclasses

    refuted = dataclasses.replace(LOG, verdict=Verdict(REFUTED, "finite on all inputs", tried="B=4"))
    confirmed = dataclasses.replace(
        CUT, verdict=Verdict(CONFIRMED, "it is None", {"value": float("nan")}, device="cpu")
    )
    one, other = log(confirmed, refuted)["results"]
    assert "suppressions" not in one and one["properties"]["witness"] == {"value": "nan"}
    assert one["message"]["text"].endswith("Confirmed: it is None")
    assert other["suppressions"][0]["justification"] == "refuted by a run: finite on all inputs"


def test_sarif_of_nothing_is_still_a_log_and_failures_are_told() -> None:
    assert log()["results"] == []
    broken = Result(errors=["no such file: x.py"])
    (run,) = json.loads("\n".join(plain(reporters.render(broken, "sarif"))))["runs"]
    (invocation,) = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "no such file: x.py"


def test_a_path_outside_of_the_folder_is_a_whole_uri(tmp_path: Path) -> None:
    import dataclasses

    outside = str(tmp_path / "ä.py")
    (found,) = log(dataclasses.replace(LOG, filename=outside))["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": Path(outside).as_uri()}
    inside = os.path.join(os.getcwd(), "x.py")
    (found,) = log(dataclasses.replace(LOG, filename=inside))["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "x.py"


@pytest.mark.skipif("LOSSLINT_SARIF_SCHEMA" not in os.environ, reason="LOSSLINT_SARIF_SCHEMA names no schema")
def test_sarif_holds_to_the_official_schema(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(Path(os.environ["LOSSLINT_SARIF_SCHEMA"]).read_bytes())
    target = tmp_path / "found.sarif"
    losslint("check", "--isolated", "--min-severity", "info", FIXTURES, f"--output-format=sarif={target}")
    found = json.loads(target.read_bytes())
    assert len(found["runs"][0]["results"]) > 100
    jsonschema.validate(found, schema)


def test_fingerprints_survive_what_moves_and_a_formatter() -> None:
    moved = TEXT.replace("def f", "# a comment\n\n\ndef f").replace("log(q)", "log(  # why\n        q,\n    )")
    later = [Finding(f.code, f.severity, f.message, f.filename, s, f.function) for f, s in _moved()]
    before = fingerprints([CUT, LOG], {"src/a b.py": TEXT})
    assert fingerprints(later, {"src/a b.py": moved}) == before
    assert len({*before, *fingerprints([CUT, CUT], {"src/a b.py": TEXT})}) == 3  # equal ones are told apart
    other = TEXT.replace("log(q)", "log(q + 1)")
    assert fingerprints([LOG], {"src/a b.py": other}) != fingerprints([LOG], {"src/a b.py": TEXT})


def _moved() -> list[tuple[Finding, Span]]:
    return [(CUT, Span(7, 9, 7, 20)), (LOG, Span(8, 12, 10, 6))]


def test_github_escapes_what_its_commands_are_made_of() -> None:
    first, second = rendered("github", CUT, LOG).split("\n")
    assert first.startswith("::error title=losslint (LL201),file=src/a b.py,line=4,endLine=4,col=9,endColumn=20::")
    assert first.endswith("No gradient reaches p, 100%25%0Ause the%0Asoft values")
    assert second.startswith("::notice ")


def test_gitlab_has_the_fields_that_its_widget_reads() -> None:
    one, other = json.loads(rendered("gitlab", CUT, LOG))
    assert (one["check_name"], one["severity"], other["severity"]) == ("LL201", "major", "info")
    assert one["location"] == {
        "path": "src/a b.py",
        "positions": {"begin": {"line": 4, "column": 9}, "end": {"line": 4, "column": 20}},
    }
    assert one["fingerprint"] != other["fingerprint"]


def test_junit_has_a_case_for_each_finding_and_each_clean_file() -> None:
    odd = Finding("LL302", Severity.WARNING, "a < b \x00", "src/a b.py", Span(5, 1, 5, 2), "f")
    root = ElementTree.fromstring(rendered("junit", CUT, odd))
    assert root.attrib == {"name": "losslint", "tests": "3", "failures": "2", "errors": "0"}
    clean, found = root
    assert (clean.get("name"), clean.get("failures"), len(clean[0])) == ("clean.py", "0", 0)
    failure = found[1].find("failure")
    assert failure is not None and failure.get("message") == "a < b \ufffd"
    assert found[0].get("name") == "LL201 [no-gradient-path]"


def test_jsonl_is_json_a_line_at_a_time() -> None:
    lines = rendered("jsonl", CUT, LOG).split("\n")
    assert [json.loads(line) for line in lines] == json.loads(rendered("json", CUT, LOG))


def test_one_run_writes_several_formats(tmp_path: Path) -> None:
    target = tmp_path / "out.xml"
    ran = losslint(FIXTURES / "batch_laws.py", "--output-format", "concise", f"--output-format=junit={target}", "-e")
    assert "LL302" in ran.out and ran.status == 0
    assert ElementTree.parse(target).getroot().tag == "testsuites"
    only = losslint(FIXTURES / "batch_laws.py", f"--output-format=jsonl={tmp_path / 'a'}", "-e", "--isolated")
    assert "^^^" in only.out  # text is shown still
    assert (tmp_path / "a").read_text().count("\n") == only.out.count(" = note")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["srif"], "'srif' is none of text"),
        (["json", "text"], "only one format can be shown"),
        (["sarif="], "names no file"),
    ],
)
def test_a_format_that_cannot_be_written_is_an_error(values: list[str], told: str) -> None:
    ran = losslint("check", *(f"--output-format={v}" for v in values))
    assert ran.status == 2 and told in ran.err


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    ran = losslint(FIXTURES / "batch_laws.py", f"--output-format=sarif={tmp_path / 'no' / 'x'}")
    assert ran.status == 2 and f"cannot write {tmp_path / 'no' / 'x'}" in ran.err


@pytest.mark.parametrize("rows", [[], [1], [{"a": [1, {"b": "\n"}]}, [], {}, "[\n]", None]])
def test_an_array_is_written_as_json_writes_it(rows: list[object]) -> None:
    assert "\n".join(plain(array(rows))) == json.dumps(rows, indent=2)
