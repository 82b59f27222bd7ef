"""What a project says of the versions it runs with: its requirements, read from the files that declare them.

The nearest folder above a file that declares TensorFlow or Keras speaks for it, up to the root of the repository.
"""

from __future__ import annotations

import ast
import fnmatch
import functools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

_TENSORFLOW = re.compile(r"tensorflow([-_](gpu|cpu|intel|macos|aarch64|rocm|cpu-aws))?|tf[-_]nightly([-_](gpu|cpu))?")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*([^;#]*)")
_OPERATOR = re.compile(r"[<>=!~]=?")
_LONGEST = 80
"""A longer text is a description."""
_LONGEST_SPECIFIER = 500
"""Each part of it is asked of each version there is."""
_SETUP = frozenset(("install_requires", "extras_require", "setup_requires", "tests_require"))


class Requirement(NamedTuple):
    """``package`` ("tensorflow", "keras" or "tf_keras") in the versions that ``specifier`` admits.

    "" admits all of them; None stands for what cannot be read, such as a placeholder.
    """

    package: str
    specifier: str | None
    file: str  # the name of the file that declares it


def declared(folder: Path) -> tuple[Requirement, ...]:
    """The requirements that hold for the files in ``folder`` (absolute); empty where nothing declares any."""
    told = _told.get(str(folder))
    if told is not None:
        return told
    while True:  # a folder may be deeper than calls can be nested
        found = _declared(str(folder))
        if found or folder.parent == folder or os.path.exists(folder / ".git"):
            return found
        folder = folder.parent


def tell(folder: Path, requirements: tuple[Requirement, ...]) -> None:
    """Let ``requirements`` hold for the files in ``folder``, whose project is on another machine."""
    _told[str(folder)] = requirements


_told: dict[str, tuple[Requirement, ...]] = {}


@functools.lru_cache(maxsize=4096)
def _declared(folder: str) -> tuple[Requirement, ...]:
    return tuple(_in_folder(Path(folder)))


def forget() -> None:
    """Read the files again when they are asked for next."""
    _declared.cache_clear()


def _in_folder(folder: Path) -> Iterator[Requirement]:
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for pattern, read in _READERS.items():
        for path in _matching(folder, names, pattern):
            if not os.path.isfile(path):  # a pipe would be waited for
                continue
            try:
                text = path.read_text(encoding="utf-8", errors="replace")
                if "tensorflow" in text or re.search(r"keras|tf[-_]nightly", text, re.IGNORECASE):
                    yield from (r for line in read(text) if (r := requirement(line, path.name)) is not None)
            except (OSError, SyntaxError, RecursionError, _Unparsable, *_ODD):
                continue  # whatever is wrong with it is no affair of ours


_ODD = (ValueError, TypeError, AttributeError)  # a number where a table is expected, and the like


class _Unparsable(Exception):
    """A file that is not written as its name says."""


def _matching(folder: Path, names: list[str], pattern: str) -> list[Path]:
    """The files in ``folder``, which holds ``names``, that ``pattern`` matches: nearly all folders hold none."""
    first, _, rest = pattern.partition("/")
    found = sorted(fnmatch.filter(names, first))
    if not rest:
        return [folder / name for name in found]
    return [path for name in found for path in sorted((folder / name).glob(rest))]


def requirement(line: str, file: str) -> Requirement | None:
    """What ``line`` ("tensorflow>=2.10,<2.14; python_version > '3.8'") requires of TensorFlow or Keras."""
    match = _NAME.match(line.strip().strip("'\""))
    package = _package(match.group(1)) if match is not None else ""
    if match is None or not package:
        return None
    specifier = match.group(3).strip().strip("'\"").strip("()").strip()
    if specifier.startswith("@"):
        return Requirement(package, None, file)
    return Requirement(package, _readable(specifier), file)


def _package(name: str) -> str:
    normal = name.lower().replace("-", "_")
    if normal in ("keras", "tf_keras"):
        return normal
    return "tensorflow" if _TENSORFLOW.fullmatch(name.lower()) else ""


def _readable(specifier: str) -> str | None:
    """``specifier`` as PEP 440 has it; the forms of poetry and conda are translated. None where that fails."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if len(specifier) > _LONGEST_SPECIFIER:
        return None
    specifier = re.sub(r"(?<=\d)\.?(rc|a|b|dev)\d+", "", specifier)  # minor versions are told apart
    parts = [_translated(part.strip()) for part in specifier.split(",") if part.strip() not in ("", "*")]
    try:
        return str(SpecifierSet(",".join(parts)))
    except InvalidSpecifier:
        return None


def _translated(part: str) -> str:
    if part.startswith("^"):  # poetry: the first number that is not 0 stays
        numbers = part[1:].split(".")
        kept = next((i for i, n in enumerate(numbers) if n != "0"), len(numbers) - 1)
        above = ".".join([*numbers[:kept], str(int(numbers[kept]) + 1)]) if numbers[kept].isdigit() else "?"
        return f">={part[1:]},<{above}"
    if re.match(r"~\d", part):
        return f"~={part[1:]}" if part.count(".") > 1 else f"=={part[1:]}.*"
    if re.match(r"=\d", part):  # conda: "=2.3" is any 2.3, what follows is the build
        version = part[1:].split("=")[0].removesuffix("*").rstrip(".")
        return f"=={version}.*"
    return f"=={part}" if part[:1].isdigit() else part


# -- one reader a kind of file: it yields requirements as lines ------------------------------------------------------


def _lines(text: str) -> Iterator[str]:
    """requirements.txt: options and comments are no requirements."""
    return (line for line in text.splitlines() if not line.lstrip().startswith(("-", "#")))


def _toml(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _pyproject(text: str) -> Iterator[str]:
    table = _toml(text)
    project = table.get("project", {})
    yield from project.get("dependencies", ())
    for group in (*project.get("optional-dependencies", {}).values(), *table.get("dependency-groups", {}).values()):
        yield from (line for line in group if isinstance(line, str))
    poetry = table.get("tool", {}).get("poetry", {})
    for owner in (poetry, *poetry.get("group", {}).values()):
        for key in ("dependencies", "dev-dependencies"):
            yield from _keyed(owner.get(key, {}))


def _pipfile(text: str) -> Iterator[str]:
    table = _toml(text)
    for key in ("packages", "dev-packages"):
        yield from _keyed(table.get(key, {}))


def _keyed(table: dict[str, Any]) -> Iterator[str]:
    """``name = "^2.13"``, ``name = {version = "2.13"}`` and lists of those."""
    for name, value in table.items():
        for entry in value if isinstance(value, list) else [value]:
            version = entry.get("version", "@") if isinstance(entry, dict) else entry
            if isinstance(version, str):
                yield f"{name} {version}"


def _setup_cfg(text: str) -> Iterator[str]:
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise _Unparsable(str(error)) from None
    if parser.has_section("options"):
        yield from parser.get("options", "install_requires", fallback="").splitlines()
    if parser.has_section("options.extras_require"):
        for _, lines in parser.items("options.extras_require"):
            yield from lines.splitlines()


def _setup(text: str) -> Iterator[str]:
    """setup.py: the literals in what is required, and any text that looks like nothing else."""
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    assigned = [(t, n.value) for n in nodes if isinstance(n, ast.Assign) for t in n.targets]
    constants = {target.id: value for target, value in assigned if isinstance(target, ast.Name)}
    found: dict[str, None] = {}
    for keyword in (n for n in nodes if isinstance(n, ast.keyword) and n.arg in _SETUP):
        names = [n.id for n in ast.walk(keyword.value) if isinstance(n, ast.Name)]
        for value in [keyword.value, *(constants[n] for n in names if n in constants)]:
            found.update(dict.fromkeys(_texts(value)))
    versions = (text for text in _texts(tree) if len(text) < _LONGEST and _OPERATOR.search(text))
    return iter(found | dict.fromkeys(versions))


def _texts(tree: ast.AST) -> Iterator[str]:
    """The texts in ``tree``; the keys of a dict only name groups of requirements."""
    keys = {id(k) for node in ast.walk(tree) if isinstance(node, ast.Dict) for k in node.keys}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in keys:
            yield node.value


def _environment(text: str) -> Iterator[str]:
    """environment.yml of conda: its list items are read as lines."""
    return (line.strip()[1:].strip() for line in text.splitlines() if line.strip().startswith("- "))


_READERS: dict[str, Callable[[str], Iterable[str]]] = {
    "pyproject.toml": _pyproject,
    "requirements*.txt": _lines,
    "requirements/*.txt": _lines,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup,
    "environment*.yml": _environment,
    "environment*.yaml": _environment,
    "Pipfile": _pipfile,
}
