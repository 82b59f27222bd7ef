"""What the tests share that run the fixes under TensorFlow: the fixes, linted for once, and a process to run in."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.confirm.forked import Forked, server
from tests.fixes.changed import Changed, changes


@pytest.fixture(scope="session")
def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Changed]]:
    """Code -> the fixes of its findings."""
    found = defaultdict(list)
    for one in changes(tmp_path_factory.mktemp("changed")):
        found[one.code].append(one)
    return found


@pytest.fixture(scope="session")
def run() -> Iterator[Forked]:
    with server() as forked:
        yield forked
