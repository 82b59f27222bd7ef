"""Notebooks: what is read of them, where findings stand, and that nothing but the changed cells is written."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losslint import notebooks
from tests.command import losslint

IMPORTS = "%matplotlib inline\n!pip install \\\n  x\nimport tensorflow as tf\nfrom tensorflow import keras"
SUM = "def sum_loss(y_true, y_pred):\n    # é\n    return tf.reduce_sum(tf.square(y_true - y_pred))\n\nmodel.compile(loss=sum_loss)"


def notebook(*cells: str, indent: int | None = 1, **more: Any) -> str:
    """The JSON of a notebook with those code cells, one of Markdown in front."""
    made: list[dict[str, Any]] = [{"cell_type": "markdown", "metadata": {}, "source": ["# Title"]}]
    for source in cells:
        output = {"output_type": "execute_result", "data": {"text/plain": "1.0e-05"}, "metadata": {"x": 1.0e-05}}
        outputs = [output | {"execution_count": 1}]
        lines = source.splitlines(keepends=True)
        made.append({"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": outputs, "source": lines})
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    whole = {"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 4} | more
    return json.dumps(whole, indent=indent, ensure_ascii=False) + "\n"


def python(*cells: str) -> str:
    return notebooks.decode(notebook(*cells))[0]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("x = 1", "x = 1"),
        ("%matplotlib inline\nx = 1", "#!losslint %matplotlib inline\nx = 1"),
        ("if x:\n    !ls", "if x:\n    pass  #!losslint !ls"),
        ("names = !ls *.py", "names = None  #!losslint names = !ls *.py"),
        ("t = %timeit -o f()", "t = None  #!losslint t = %timeit -o f()"),
        ("tf.square?", "#!losslint tf.square?"),
        ("?tf.square", "#!losslint ?tf.square"),
        ("!a \\\n  --b\nx = 1", "#!losslint !a \\\n#!losslint   --b\nx = 1"),
        ("%%time\nx = 1", "#!losslint %%time\nx = 1"),
        ("%%bash\nls\n\npwd", "#!losslint %%bash\n#!losslint ls\n\n#!losslint pwd"),
        ("x = (1\n% 2)", "x = (1\n% 2)"),  # no magic: it parses
        ("# what?\nx = 1", "# what?\nx = 1"),
    ],
)
def test_what_ipython_adds_becomes_comments_that_keep_their_rows(cell: str, expected: str) -> None:
    text = notebook(cell)
    found, broken = notebooks.decode(text)
    assert (found, broken) == (f"#%%losslint 2\n{expected}\n", [])
    assert notebooks.encode(text, found) == text


def test_a_cell_that_does_not_parse_costs_only_itself() -> None:
    text = notebook("x = 1", "y = 1\n= 2", "z = x")
    found, (broken,) = notebooks.decode(text)
    assert "#!losslint y = 1\n" in found and found.endswith("z = x\n")
    assert found.split("\n")[broken.row - 1] == "#!losslint = 2" and "invalid syntax" in broken.reason
    assert notebooks.encode(text, found) == text


LINES = st.lists(
    st.sampled_from(["x = 1", "", "  y", "%m", "!s \\", "s = 'ä\\u00e9\\n'", "é?", "#!losslint", "if a:", "    b"])
)


@given(st.lists(LINES), st.sampled_from([None, 1, 4]), st.booleans())
def test_reading_and_writing_changes_nothing(cells: list[list[str]], indent: int | None, as_text: bool) -> None:
    whole = json.loads(notebook(*("\n".join(lines) for lines in cells)))
    if as_text:
        for cell in whole["cells"]:
            cell["source"] = "".join(cell["source"])
    for ascii_only in (True, False):
        text = json.dumps(whole, indent=indent, ensure_ascii=ascii_only)
        assert notebooks.encode(text, notebooks.decode(text)[0]) == text


@given(st.lists(LINES, min_size=1), st.sampled_from([None, 1, 4]), st.data())
def test_only_the_changed_cell_is_written(cells: list[list[str]], indent: int | None, data: st.DataObject) -> None:
    cells = [["a", *lines] for lines in cells]
    text = notebook(*("\n".join(lines) for lines in cells), indent=indent)
    number = data.draw(st.integers(0, len(cells) - 1))
    rows = notebooks.decode(text)[0].split("\n")
    at = next(row for row, cell in notebooks.starts("\n".join(rows)) if cell == number + 2)
    rows.insert(at, "new = 'ü'")
    before, after = json.loads(text), json.loads(written := notebooks.encode(text, "\n".join(rows)))
    assert "".join(after["cells"][number + 1]["source"]).startswith("new = 'ü'\n")
    after["cells"][number + 1]["source"] = before["cells"][number + 1]["source"]
    assert after == before
    assert written.startswith(text[: text.index('"source"')])


def test_nbformat_reads_what_is_written() -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    text = notebook(IMPORTS, SUM)
    changed = notebooks.encode(text, notebooks.decode(text)[0].replace("reduce_sum", "reduce_mean"))
    read = nbformat.reads(changed, as_version=4)
    nbformat.validate(read)
    assert "reduce_mean" in read.cells[2].source and read.cells[1].source == IMPORTS


@pytest.mark.parametrize(
    ("before", "after"),
    [('["a"]', '["b\\n", "c"]'), ('"a"', '"b\\nc"'), ('[\n  "a"\n ]', '[\n  "b\\n",\n  "c"\n ]')],
)
def test_a_cell_is_laid_out_as_it_was(before: str, after: str) -> None:
    text = '{"cells": [{"cell_type": "code", "source": %s}], "metadata": {}}'
    assert notebooks.encode(text % before, "#%%losslint 1\nb\nc\n") == text % after


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no JSON"),
        ("[1]", "there are no cells"),
        ('{"worksheets": [], "nbformat": 3}', "nbconvert"),
        ("{" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_notebook_is_a_finding_that_says_what_to_do(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "a.ipynb").write_text(text)
    ran = losslint("--isolated", "--output-format", "concise", tmp_path)
    assert ran.status == 1 and "LL001" in ran.out and told in ran.out


def test_another_language_is_none_of_ours() -> None:
    assert notebooks.decode(notebook("x <- 1", metadata={"language_info": {"name": "R"}})) == ("", [])


@pytest.mark.parametrize("changed", ["x\n#%%losslint 2\n", "#%%losslint 2\n#%%losslint 9\n", "#%%losslint 3\n"])
def test_text_that_belongs_to_no_cell_is_refused(changed: str) -> None:
    with pytest.raises(notebooks.NoNotebook):
        notebooks.encode(notebook("x"), changed)


# -- from the command line -------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.ipynb").write_text(notebook(IMPORTS, "def broken(:", SUM), encoding="utf-8")
    return tmp_path


def test_findings_say_cell_and_row(folder: Path) -> None:
    ran = losslint("--isolated", ".", cwd=folder)
    assert "train.ipynb:cell 4:3:12: LL302" in ran.out
    assert "\n3 |     return tf.reduce_sum(" in ran.out
    assert "train.ipynb:cell 3:1:12: LL001" in ran.out and "1 | def broken(:\n  |            ^" in ran.out
    broken, summed = json.loads(losslint("--isolated", ".", "--output-format", "json", cwd=folder).out)
    assert (summed["cell"], summed["location"], summed["function"]) == (4, {"row": 3, "column": 12}, "sum_loss")
    assert summed["fix"]["edits"][0]["cell"] == 4 and summed["fix"]["edits"][0]["location"]["row"] == 3
    assert broken["cell"] == 3


@pytest.mark.parametrize("form", ["github", "gitlab", "sarif", "junit", "concise"])
def test_every_format_names_the_cell(folder: Path, form: str) -> None:
    out = losslint("--isolated", ".", "--output-format", form, cwd=folder).out
    assert "cell 4" in out.lower()


def test_fixes_and_suppressions_change_the_cell_and_nothing_else(folder: Path) -> None:
    path = folder / "train.ipynb"
    before = path.read_text(encoding="utf-8")
    losslint("--isolated", ".", "--fix", "--unsafe-fixes", cwd=folder)
    assert path.read_text(encoding="utf-8") == before.replace("tf.reduce_sum", "tf.reduce_mean")
    path.write_text(before, encoding="utf-8")
    losslint("--isolated", ".", "--add-ignore", "why", cwd=folder)
    assert path.read_text(encoding="utf-8") == before.replace(
        'y_pred))\\n"', 'y_pred))  # losslint: ignore[LL302] why\\n"'
    )
    assert "LL302" not in losslint("--isolated", ".", cwd=folder).out


def test_standard_input_can_be_a_notebook(folder: Path) -> None:
    data = (folder / "train.ipynb").read_bytes()
    ran = losslint("--isolated", "-", "--stdin-filename", "a.ipynb", "--fix", "--unsafe-fixes", stdin=data)
    assert ran.out == data.decode().replace("tf.reduce_sum", "tf.reduce_mean")


def test_a_baseline_holds_while_cells_move(folder: Path) -> None:
    losslint("--isolated", ".", "--baseline", "b.json", "--write-baseline", cwd=folder)
    (folder / "train.ipynb").write_text(notebook("pass", IMPORTS, SUM), encoding="utf-8")
    ran = losslint("--isolated", ".", "--baseline", "b.json", cwd=folder)
    assert ran.status == 0 and "1 more in the baseline" in ran.out


@pytest.mark.tf
def test_a_loss_of_a_notebook_is_run(folder: Path) -> None:
    (found,) = [
        f
        for f in json.loads(losslint("--isolated", ".", "--confirm", "--output-format", "json", cwd=folder).out)
        if f["code"] == "LL302"
    ]
    assert found["verdict"] == "confirmed"


SCRIPT = """# %% [markdown]
# # Title, with what?
# %%
%matplotlib inline
import tensorflow as tf
# %%
%%bash
ls (
# %%
broken = (
# %%
def sum_loss(y_true, y_pred):
    return tf.reduce_sum(tf.square(y_true - y_pred))
files = !ls
model.compile(loss=sum_loss)
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_magics_of_a_script_are_left_out_and_stay(tmp_path: Path, end: str) -> None:
    path = tmp_path / "train.py"
    path.write_bytes(SCRIPT.replace("\n", end).encode())
    ran = losslint("--isolated", "--output-format", "concise", "train.py", cwd=tmp_path)
    found = [line.split(" ")[:2] for line in ran.out.splitlines() if line.startswith("train")]
    assert found == [["train.py:10:10:", "LL001"], ["train.py:13:12:", "LL302"]], ran.out
    fixed = losslint("--isolated", "--fix", "--unsafe-fixes", "train.py", cwd=tmp_path)
    assert "LL302" not in fixed.out
    assert path.read_bytes() == SCRIPT.replace("reduce_sum", "reduce_mean").replace("\n", end).encode()


def test_the_code_of_a_script_is_shown_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("# %%\n%pip list\n# %%\n= 1\n!ls\n", encoding="utf-8")
    ran = losslint("--isolated", "train.py", cwd=tmp_path)
    assert "4 | = 1\n" in ran.out and "#!losslint" not in ran.out


@pytest.mark.parametrize(
    "text", ["x = 1\n", "# %%\nx = 1\n", "%pip list\n", "# %%\nx = (5\n% 2)\n", "# %%\nx = 'why?'\n"]
)
def test_plain_python_is_no_script_with_magics(text: str) -> None:
    assert notebooks.script(text) is None
