"""The wheel and the source distribution, installed into new environments of each Python that is here."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
MOST_BYTES = 30_000_000
pytestmark = [pytest.mark.tf, pytest.mark.slow]  # not TensorFlow: environments are built
LOSS = (
    "import tensorflow as tf\n\n\ndef sum_loss(y_true, y_pred):\n"
    "    return tf.reduce_sum(tf.square(y_true - y_pred))\n\n\nmodel.compile(loss=sum_loss)\n"
)


def python(version: str) -> str | None:
    """An interpreter of that version: on the path, or one of pyenv's."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    candidates = [shutil.which(f"python{version}"), *map(str, kept)]
    return next((c for c in candidates if c and _runs(c)), None)


def _runs(command: str) -> bool:
    return subprocess.run([command, "-c", "import venv, ensurepip"], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sdist, and the wheel that is built from it, as an index would get them."""
    folder = tmp_path_factory.mktemp("dist")
    copy = folder / "losslint"
    skipped = shutil.ignore_patterns(".*_cache", ".venv", ".git", "__pycache__", "*.egg-info", "build", "dist")
    shutil.copytree(REPOSITORY, copy, ignore=skipped)
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, copy], check=True, capture_output=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


def test_the_wheel_holds_what_it_needs_and_no_more(distributions: dict[str, Path]) -> None:
    names = zipfile.ZipFile(distributions["wheel"]).namelist()
    assert {"losslint/py.typed", "losslint/rules/LL302.md", "losslint/apis/tables.json.gz"} <= set(names)
    assert all(n.startswith(("losslint/", "losslint-")) for n in names)
    metadata = next(n for n in names if n.endswith("METADATA"))
    text = zipfile.ZipFile(distributions["wheel"]).read(metadata).decode()
    for field in (
        "Summary:",
        "License",
        "Requires-Python: >=3.10",
        "Description-Content-Type: text/markdown",
        "Project-URL:",
    ):
        assert field in text, field
    links = re.findall(r"\]\(([^)]+)", text)  # of the README, which an index shows by itself
    assert len(links) > 20 and all(link.startswith(("https://", "#")) for link in links), links
    assert "](https://raw.githubusercontent.com/losslint/losslint/main/docs/terminal.svg)" in text


@pytest.mark.parametrize("version", VERSIONS)
def test_it_installs_and_runs(distributions: dict[str, Path], version: str, tmp_path: Path) -> None:
    found = python(version)
    if found is None:
        pytest.skip(f"there is no Python {version} here")
    subprocess.run([found, "-m", "venv", tmp_path / "venv"], check=True)
    inside = tmp_path / "venv" / "bin" / "python"
    kind = "sdist" if version == VERSIONS[0] else "wheel"
    install = [inside, "-m", "pip", "install", "--quiet", distributions[kind]]
    ran = subprocess.run(install, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    (tmp_path / "a.py").write_text(LOSS)
    for command in ([tmp_path / "venv" / "bin" / "losslint"], [inside, "-m", "losslint"]):
        ran = subprocess.run([*command, "--isolated", "a.py"], cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 1 and "LL302" in ran.stdout, ran.stderr
    assert (
        "unnormalized-batch-sum"
        in subprocess.run([inside, "-m", "losslint", "explain", "LL302"], capture_output=True, text=True).stdout
    )
    listed = subprocess.run([inside, "-m", "pip", "list"], capture_output=True, text=True).stdout.lower()
    assert "losslint" in listed and "tensorflow" not in listed and "numpy" not in listed
    packages = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    own = [p for p in packages.iterdir() if not p.name.startswith(("pip", "setuptools", "_distutils", "pkg_resources"))]
    files = (f for p in own for f in ([p] if p.is_file() else p.rglob("*")))
    assert sum(f.stat().st_size for f in files if f.is_file() and f.suffix != ".pyc") < MOST_BYTES


def test_an_index_would_take_them(distributions: dict[str, Path], tmp_path: Path) -> None:
    """twine's check, which renders the README as the index would."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    inside = tmp_path / "venv" / "bin" / "python"
    ran = subprocess.run([inside, "-m", "pip", "install", "--quiet", "twine"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    command = [inside, "-m", "twine", "check", "--strict", *distributions.values()]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0 and ran.stdout.count("PASSED") == 2, ran.stdout + ran.stderr


def test_the_wheel_holds_the_page_of_a_report(distributions: dict[str, Path]) -> None:
    names = zipfile.ZipFile(distributions["wheel"]).namelist()
    assert {f"losslint/confirm/report/page.{kind}" for kind in ("html.jinja", "css", "js")} <= set(names)
