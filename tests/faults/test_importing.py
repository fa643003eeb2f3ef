"""Whatever fails while an import writes: whole sources or none, and the next import completes it.

`DNPCSQL_KILLS=200 pytest tests/faults` makes more faults than a suite has time for.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dnpcsql.store import Store
from tests.conftest import Case, Row, dump
from tests.faults.conftest import COUNT, EIO, ENOSPC, Faulty, calls, import_command
from tests.test_kill import assert_whole_sources_only


@pytest.fixture(scope="module")
def trees(case: Case) -> list[Path]:
    return [case("parsl-2023.12.18-full"), case("parsl-2026.10.26-killed")]


@pytest.fixture(scope="module")
def whole(trees: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """The database of an import that was left alone."""
    with Store(tmp_path_factory.mktemp("whole") / "dnpc.sqlite3") as store:
        store.import_(*trees)
        return dump(store)


class Counted(dict[str, int]):
    """How many calls of a kind the whole import makes on its database, and on what is beside it."""

    def __init__(self, faults: Path, trees: list[Path], at: Path) -> None:
        super().__init__()
        self._faults, self._trees, self._at = faults, trees, at

    def __missing__(self, kind: str) -> int:
        command = import_command(self._at / f"{kind}.dnpc.sqlite3", self._trees)
        self[kind] = calls(self._faults, kind, command, self._at)
        return self[kind]


@pytest.fixture(scope="module")
def counted(
    faults: Path, trees: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, int]:
    return Counted(faults, trees, tmp_path_factory.mktemp("counted"))


def sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def assert_completed(path: Path, trees: list[Path], whole: dict[str, list[Row]]) -> None:
    """It holds whole sources only, and the next import makes it as if nothing had been."""
    if path.exists():
        assert_whole_sources_only(path, whole)
        sound(path)
    with Store(path) as store:
        store.import_(*trees)
    assert dump(path) == whole
    sound(path)
    assert sorted(file.name for file in path.parent.glob(f"{path.name}*")) == [path.name]


@pytest.mark.parametrize("seed", range(COUNT))
def test_killed_before_any_of_its_writes(
    seed: int,
    trees: list[Path],
    whole: dict[str, list[Row]],
    counted: dict[str, int],
    faulty: Faulty,
    tmp_path: Path,
) -> None:
    """All that a kill leaves behind is what was written before: so it is killed between two
    calls that write, sync, cut or remove."""
    at = random.Random(seed).randrange(1, counted["change"] + 1)
    done = faulty(tmp_path / "dnpc.sqlite3", trees, "change", at=at)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert_completed(tmp_path / "dnpc.sqlite3", trees, whole)


@pytest.mark.parametrize("times", [1, 0], ids=["once", "from then on"])
@pytest.mark.parametrize("seed", range(COUNT // 2))
@pytest.mark.parametrize(
    ("kind", "number"),
    [("write", ENOSPC), ("write", EIO), ("sync", EIO), ("read", EIO)],
    ids=["disk full", "write error", "fsync error", "read error"],
)
def test_its_disk_fails(
    kind: str,
    number: int,
    seed: int,
    times: int,
    trees: list[Path],
    whole: dict[str, list[Row]],
    counted: dict[str, int],
    faulty: Faulty,
    tmp_path: Path,
) -> None:
    at = random.Random(seed).randrange(1, counted[kind] + 1)
    path = tmp_path / "dnpc.sqlite3"
    done = faulty(path, trees, kind, at=at, number=number, times=times)
    assert "Traceback" not in done.stderr
    if done.returncode:
        # One line, which names the file.
        assert done.stderr.count("\n") == 1
        assert str(path) in done.stderr
    else:
        # SQLite came by without: one fault may hit where nothing depends on it.
        assert (times, done.stdout) == (1, "")
    assert_completed(path, trees, whole)


@pytest.mark.parametrize("times", [1, 0], ids=["once", "from then on"])
@pytest.mark.parametrize("seed", range(COUNT // 2))
@pytest.mark.parametrize("name", ["parsl.log", "monitoring.db"])
def test_a_file_cannot_be_read_in_its_midst(
    name: str,
    seed: int,
    times: int,
    trees: list[Path],
    whole: dict[str, list[Row]],
    faults: Path,
    faulty: Faulty,
    tmp_path: Path,
) -> None:
    """The others are read, and of that one nothing; it is told of."""
    folder = "runinfo/000" if name == "parsl.log" else "runinfo"
    place = f"{trees[0].name}/{folder}/{name}"
    command = import_command(tmp_path / "counted.sqlite3", trees)
    reads = calls(faults, "read", command, tmp_path, place)
    at = random.Random(seed).randrange(1, reads + 1)
    path = tmp_path / "dnpc.sqlite3"
    done = faulty(path, trees, "read", path=place, at=at, number=EIO, times=times)
    assert (done.returncode, done.stderr) == (0, "")
    sound(path)
    if times == 1:  # and may hit where nothing depends on it
        assert place in done.stdout or dump(path)["event"] == whole["event"]
    else:
        assert place in done.stdout
        assert_nothing_of(place, path, whole)
    with Store(path) as store:
        store.import_(*trees)
    assert dump(path) == whole


def assert_nothing_of(place: str, path: Path, whole: dict[str, list[Row]]) -> None:
    left = dump(path)
    for table in ("event", "span", "sample", "link"):
        assert [row for row in left[table] if any(place in str(value) for value in row)] == []
    others = [row for row in whole["event"] if place not in row[3]]
    # A database's times are understood by the log beside it, if that can be read.
    assert {row[2:] for row in left["event"]} == {row[2:] for row in others}


@pytest.mark.parametrize("name", ["parsl.log", "monitoring.db"])
def test_what_was_known_of_a_file_stays_when_it_cannot_be_read_any_more(
    name: str, copy: Case, faulty: Faulty, tmp_path: Path
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    path = tmp_path / "dnpc.sqlite3"
    with Store(path) as store:
        store.import_(runinfo)
        before = told_by(dump(store), name)
    changed = next(runinfo.rglob(name))
    with changed.open("ab") as file:
        file.write(b"\n" * 8_192)
    done = faulty(path, [runinfo], "read", path=name, at=3, number=EIO)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert name in done.stdout
    assert told_by(dump(path), name) == before
    sound(path)


def told_by(left: dict[str, list[Row]], name: str) -> list[Row]:
    """The rows of a source, in all tables."""
    return [
        row
        for rows in left.values()
        for row in rows
        if any(str(value).endswith(f"/{name}") for value in row)
    ]


# While what several files tell is related


_KILLED_RELATING = """
import os, signal, sqlite3, sys
from dnpcsql import store as module
relate, steps = module.relate, [0]

def counting(connection):
    at = int(sys.argv[2])
    def step():
        steps[0] += 1
        if steps[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0
    connection.set_progress_handler(step, 100)
    relate(connection)
    connection.set_progress_handler(None, 0)

module.relate = counting
with module.Store(sys.argv[1]) as store:
    store.import_(*sys.argv[3:])
print(steps[0])
"""


def relating(path: Path, at: int, trees: list[Path]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _KILLED_RELATING, str(path), str(at), *map(str, trees)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def steps(trees: list[Path], tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many hundreds of SQLite's steps relating takes."""
    done = relating(tmp_path_factory.mktemp("steps") / "dnpc.sqlite3", 0, trees)
    return int(done.stdout)


@pytest.mark.parametrize("seed", range(COUNT))
def test_killed_while_relating(
    seed: int, trees: list[Path], whole: dict[str, list[Row]], steps: int, tmp_path: Path
) -> None:
    path = tmp_path / "dnpc.sqlite3"
    done = relating(path, random.Random(seed).randrange(1, steps + 1), trees)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert_completed(path, trees, whole)
