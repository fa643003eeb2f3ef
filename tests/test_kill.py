"""Killed at any moment, a database holds whole sources or none of them; running again completes it.

`DNPCSQL_KILLS=50 pytest tests/test_kill.py` kills more often than a suite has time for.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dnpcsql.errors import DnpcsqlError
from dnpcsql.store import Store
from tests.conftest import Case, Row, dump

KILLS = int(os.environ.get("DNPCSQL_KILLS", "8"))

# Small caches and batches make the database file change early and often.
_IMPORT = """
import sys
from dnpcsql import database, writer
database._CACHE_KIB = 64
writer.BATCH = 50
from dnpcsql.store import Store
with Store(sys.argv[1]) as store:
    print("begun", flush=True)
    store.import_(*sys.argv[2:])
"""


def begun(path: Path, trees: list[Path]) -> subprocess.Popen[str]:
    """An import in another process, which has loaded what it needs."""
    process = subprocess.Popen(
        [sys.executable, "-c", _IMPORT, str(path), *map(str, trees)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.stdout.close()
    return process


@pytest.fixture(scope="module")
def trees(case: Case) -> list[Path]:
    return [case("parsl-2023.12.18-full"), case("parsl-2025.9.15-multi")]


@pytest.fixture(scope="module")
def whole(trees: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """The database of an import that was left alone."""
    with Store(tmp_path_factory.mktemp("whole") / "dnpc.sqlite3") as store:
        store.import_(*trees)
        return dump(store)


@pytest.fixture(scope="module")
def seconds(trees: list[Path], tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long an import takes, once it has begun."""
    process = begun(tmp_path_factory.mktemp("timed") / "dnpc.sqlite3", trees)
    began = time.monotonic()
    assert process.wait() == 0
    return time.monotonic() - began


@pytest.mark.parametrize("kill", range(KILLS))
def test_an_import_that_was_killed_is_completed_by_the_next(
    kill: int,
    trees: list[Path],
    whole: dict[str, list[Row]],
    seconds: float,
    tmp_path: Path,
) -> None:
    path = tmp_path / "dnpc.sqlite3"
    process = begun(path, trees)
    time.sleep(seconds * (kill + random.random()) / KILLS)
    process.kill()
    assert process.wait() in (-signal.SIGKILL, 0)
    assert_whole_sources_only(path, whole)
    with Store(path) as store:
        store.import_(*trees)
    assert dump(path) == whole


def assert_whole_sources_only(path: Path, whole: dict[str, list[Row]]) -> None:
    """Opened for reading by whoever comes first, it holds nothing but rows of whole sources."""
    with Store(path) as store:
        try:
            known = {source.path for source in store.sources()}
        except DnpcsqlError:  # not made yet
            return
    left = dump(path)
    events = [row for row in whole["event"] if row[3] in known]
    assert left["event"] == sorted(events, key=repr)
    assert left["sample"] == [row for row in whole["sample"] if known.intersection(row)]
