from pathlib import Path
from typing import Any

import pytest

from losslint import rulebook
from losslint.findings import Severity
from losslint.options import Declared
from losslint.settings import ConfigurationError, Resolver, Settings, from_file, from_table

HERE = Path("/project")


def read(**table: Any) -> Settings:
    return from_table({k.replace("_", "-"): v for k, v in table.items()}, "losslint.toml", HERE)


def test_the_defaults() -> None:
    settings = read()
    assert settings.enabled == frozenset(rulebook.rules())
    assert settings.threshold is Severity.WARNING and settings.fails_at is Severity.WARNING
    assert settings.keras == "auto" and settings.tensorflow is None


# -- selection -------------------------------------------------------------------------------------------------------


def test_the_narrower_selector_wins() -> None:
    assert read(select=["LL3"]).enabled == rulebook.resolve("LL3") | {"LL001", "LL004"}
    assert "LL302" in read(select=["LL302"], ignore=["LL3"]).enabled
    assert "LL302" not in read(select=["LL3"], ignore=["unnormalized-batch-sum"]).enabled
    assert "LL302" not in read(ignore=["LL3"]).enabled
    assert read(select=["ALL"], ignore=["LL"]).enabled == {"LL001", "LL004"}
    assert "LL302" in read(select=["LL2"], extend_select=["LL302"]).enabled


def test_a_file_that_does_not_parse_is_left_out_only_by_name() -> None:
    assert "LL001" in read(select=["LL4"], ignore=["LL0"]).enabled
    assert "LL001" not in read(ignore=["LL001"]).enabled
    assert "LL001" not in read(ignore=["syntax-error"]).enabled


def test_the_command_line_is_a_layer_on_top() -> None:
    base = read(select=["LL3"], ignore=["LL302"])

    def over(**table: Any) -> frozenset[str]:
        options = {k.replace("_", "-"): v for k, v in table.items()}
        return from_table(options, "command line", HERE, base).enabled

    assert over(select=["LL4"]) == rulebook.resolve("LL4") | {"LL001", "LL004"}
    assert over(ignore=["LL301"]) == base.enabled - {"LL301"}
    assert over(extend_select=["LL302"]) == base.enabled | {"LL302"}


def test_severity() -> None:
    settings = read(severity={"LL302": "error", "LL3": "info", "unclipped-log": "off"})
    assert settings.severity_of("LL302", Severity.WARNING) is Severity.ERROR
    assert settings.severity_of("LL301", Severity.ERROR) is Severity.INFO
    assert settings.severity_of("LL201", Severity.ERROR) is Severity.ERROR
    assert "LL401" not in settings.enabled and "LL402" in settings.enabled


def test_what_is_shown_and_what_fails() -> None:
    assert read(fail_on="info").threshold is Severity.INFO
    assert read(fail_on="info", min_severity="error").threshold is Severity.ERROR
    assert read(fail_on="error").threshold is Severity.WARNING
    assert read(fail_on="never").fails_at is None


def test_per_file_ignores() -> None:
    settings = read(per_file_ignores={"tests/*": ["LL3"], "old.py": ["LL302", "unclipped-log"], "!src/**": ["LL101"]})
    assert settings.ignored_in(HERE / "tests" / "a.py") == rulebook.resolve("LL3") | {"LL101"}
    assert settings.ignored_in(HERE / "src" / "deep" / "old.py") == {"LL302", "LL401"}
    assert settings.ignored_in(HERE / "src" / "new.py") == frozenset()


# -- declared facts and inputs ---------------------------------------------------------------------------------------


def test_facts_and_inputs() -> None:
    settings = read(
        facts={
            "lib.safe_log": {"like": "tensorflow.math.log", "range": [-30, 0]},
            "lib.f": {"shape": "[B, 10]", "gradient": "dead"},
        },
        inputs={"dice": "y_true=int32[B] y_pred=prob[B,10]", "iou": {"y_pred": "prob[B]"}},
    )
    assert dict(settings.facts) == {
        "lib.safe_log": Declared(range=(-30.0, 0.0), like="tensorflow.math.log"),
        "lib.f": Declared(shape="[B, 10]", gradient="dead"),
    }
    assert settings.inputs == (
        ("dice", (("y_true", "int32[B]"), ("y_pred", "prob[B,10]"))),
        ("iou", (("y_pred", "prob[B]"),)),
    )


# -- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"selct": []}, ["unknown key selct", '"select"']),
        ({"per_file_ignore": {}}, ["per-file-ignore", '"per-file-ignores"']),
        ({"select": "LL3"}, ["select", "list of strings"]),
        ({"select": ["LL3O2"]}, ["select", "LL3O2", '"LL302"']),
        ({"ignore": ["unnormalized-batch-sums"]}, ['"unnormalized-batch-sum"']),
        ({"per_file_ignores": {"a.py": ["LL999"]}}, ["per-file-ignores.a.py", "LL999"]),
        ({"per_file_ignores": ["a.py"]}, ["must be a table"]),
        ({"severity": {"LL302": "fatal"}}, ["severity.LL302", '"error", "warning", "info", "off"']),
        ({"fail_on": "warnings"}, ['did you mean "warning"']),
        ({"min_severity": 3}, ["min-severity"]),
        ({"keras": "4"}, ['"2", "3", "auto"']),
        ({"tensorflow": 2.15}, ["version", "2.15"]),
        ({"respect_gitignore": "yes"}, ["true or false"]),
        ({"facts": {"f": {"shap": "[B]"}}}, ["facts.f.shap", '"shape"']),
        ({"facts": {"f": {"shape": "B"}}}, ["facts.f.shape"]),
        ({"facts": {"f": {"range": [1, 0]}}}, ["facts.f.range"]),
        ({"facts": {"f": {"gradient": "alive"}}}, ['did you mean "live"']),
        ({"inputs": {"f": "y_true"}}, ["inputs.f"]),
        ({"facts": {"f": {"range": [0, 10**400]}}}, ["facts.f.range", "float"]),
        ({"exclude": ["build", "a\\"]}, ["exclude", "'a\\\\' is no pattern"]),
        ({"extend_exclude": ["[z-a]"]}, ["extend-exclude", "'[z-a]' is no pattern"]),
        ({"per_file_ignores": {"!!": ["LL3"]}}, ["per-file-ignores.!!"]),
        ({"per_file_ignores": {"!a\\": ["LL3"]}}, ["per-file-ignores.!a"]),
    ],
)
def test_a_mistake_names_the_place_and_the_nearest(table: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(**table)
    assert all(word in str(caught.value) for word in ["losslint.toml", *words]), caught.value


# -- files -----------------------------------------------------------------------------------------------------------


def test_the_nearest_configuration_holds_alone(tmp_path: Path) -> None:
    inner, plain = tmp_path / "inner", tmp_path / "plain"
    inner.mkdir()
    plain.mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.losslint]\nkeras = "2"\nselect = ["LL3"]\n')
    (plain / "pyproject.toml").write_text('[tool.ruff]\nselect = ["E"]\n')
    (inner / "losslint.toml").write_text('fail-on = "error"\n')
    (inner / "pyproject.toml").write_text('[tool.losslint]\nkeras = "3"\n')
    resolver = Resolver()
    assert resolver.of(plain).keras == "2" and resolver.of(plain).root == tmp_path
    assert resolver.of(inner).keras == "auto" and resolver.of(inner).fail_on == "error"
    assert "LL401" in resolver.of(inner).enabled and "LL401" not in resolver.of(plain).enabled
    assert Resolver(isolated=True).of(inner).fail_on == "warning"
    assert Resolver(config=tmp_path / "pyproject.toml").of(inner).keras == "2"
    assert Resolver({"keras": "3"}).of(plain).keras == "3"


def test_a_foreign_broken_pyproject_is_no_affair_of_ours(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n")
    assert from_file(tmp_path / "pyproject.toml") is None
    (tmp_path / "pyproject.toml").write_text("[tool.losslint\n")
    with pytest.raises(ConfigurationError, match=r"pyproject.toml"):
        from_file(tmp_path / "pyproject.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tool = 3  # losslint", "tool must be a table, not 3"),
        ("[[tool]]\nlosslint = 1", "tool must be a table"),
        ("[tool]\nlosslint = false", "tool.losslint must be a table, not False"),
        ("[[tool.losslint]]", "tool.losslint must be a table"),
        ("[tool.losslint]\nfile-steps = " + "9" * 5000, "it is no TOML"),
        ("[tool.losslint]\nselect = " + "[" * 5000, "nested too deeply"),
    ],
    ids=["number", "list", "boolean", "tables", "digits", "nested"],
)
def test_whatever_stands_there_the_place_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        from_file(path)
    assert str(caught.value).startswith(f"{path}: ") and told in str(caught.value)


def test_a_long_value_is_not_repeated_in_full() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(select="x" * 10_000)
    assert len(str(caught.value)) < 500


def test_a_config_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        Resolver(config=tmp_path / "none.toml")
    (tmp_path / "pyproject.toml").write_text("")
    with pytest.raises(ConfigurationError, match=r"no \[tool.losslint\]"):
        Resolver(config=tmp_path / "pyproject.toml")
