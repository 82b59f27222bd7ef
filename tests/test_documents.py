"""What the documents show and name is what there is."""

import re

import pytest

from tests.command import losslint
from tests.rule_pages import ROOT

DOCUMENTS = sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_sample_in_the_readme_is_what_losslint_prints() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sample = text.split("## What it says", 1)[1].split("```\n", 2)[1]
    ran = losslint("check", "--isolated", "examples/train_vae.py", cwd=ROOT)
    assert (ran.status, ran.out) == (1, sample)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    document = ROOT / name
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_stands_in_the_tree_is_called_by_its_name(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:losslint|tests|rules|fixtures|benchmarks|docs)/[\w./-]*)`", text)
    assert [path for path in paths if "nnn" not in path and not (ROOT / path).exists()] == []
