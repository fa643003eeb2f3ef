"""Others at the same database: waited for, then told by name. And a disk that knows no locks."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from dnpcsql import database
from dnpcsql.errors import LockedError, NoLocksError
from dnpcsql.store import Store
from tests.conftest import Case, dump
from tests.faults.conftest import COUNT, ENOLCK, Faulty, environment, import_command


@pytest.fixture
def runinfo(case: Case) -> Path:
    return case("parsl-2026.10.26-killed") / "runinfo"


def holding(path: Path, *statements: str) -> sqlite3.Connection:
    """Another program's connection, in the midst of a transaction."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for statement in statements:
        connection.execute(statement).fetchone()
    return connection


READS = ("BEGIN", "SELECT count(*) FROM span")
WRITES = ("BEGIN IMMEDIATE",)


@pytest.mark.parametrize("statements", [READS, WRITES], ids=["reader", "writer"])
def test_an_import_waits_for_another_program(
    statements: tuple[str, ...], runinfo: Path, store: Store, tmp_path: Path
) -> None:
    store.writing()
    other = holding(store.path, *statements)

    def done() -> None:
        time.sleep(1)
        other.execute("COMMIT")

    thread = threading.Thread(target=done)
    thread.start()
    store.import_(runinfo)
    thread.join()
    other.close()
    with Store(tmp_path / "alone.sqlite3") as alone:
        alone.import_(runinfo)
        assert dump(store) == dump(alone)


_HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    connection.execute(statement).fetchone()
print("held", flush=True)
time.sleep(120)
"""


@pytest.mark.parametrize("statements", [READS, WRITES], ids=["reader", "writer"])
def test_an_import_that_waited_in_vain_says_for_whom_and_keeps_nothing_half(
    statements: tuple[str, ...],
    runinfo: Path,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    store.writing().execute("PRAGMA busy_timeout = 200")
    before = dump(store)
    command = [sys.executable, "-c", _HOLD, str(store.path), *statements]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            with pytest.raises(LockedError) as error:
                store.import_(runinfo)
            said = f"{store.path} is locked by process {other.pid} (python"
            assert said in str(error.value)
            assert "try again when it is done" in str(error.value)
            store.close()
            assert dump(store) == before
        finally:
            other.kill()
    store.import_(runinfo)
    with Store(tmp_path / "alone.sqlite3") as alone:
        alone.import_(runinfo)
        assert dump(store) == dump(alone)


@pytest.mark.parametrize("seed", range(max(1, COUNT // 8)))
def test_several_imports_of_different_trees_at_once(seed: int, case: Case, tmp_path: Path) -> None:
    """Each file in a transaction of its own, between those of the others."""
    names = ("parsl-2023.12.18-full", "parsl-2026.10.26-killed", "parsl-2025.9.15-multi")
    trees = [case(name) for name in names]
    path = tmp_path / "dnpc.sqlite3"
    draw = random.Random(seed)
    running = [
        subprocess.Popen(
            import_command(path, draw.sample(trees, len(trees))),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    assert [(*process.communicate()[:1], process.returncode) for process in running] == [
        ("", 0)
    ] * 3
    with Store(tmp_path / "alone.sqlite3") as alone:
        alone.import_(*trees)
        assert dump(path) == dump(alone)


def test_it_can_be_asked_while_an_import_goes_on(case: Case, tmp_path: Path) -> None:
    """A reader sees whole sources, at any moment."""
    trees = [case("parsl-2023.12.18-full"), case("parsl-2025.9.15-multi")]
    path = tmp_path / "dnpc.sqlite3"
    with Store(path) as store:
        store.import_(*trees)
        whole = {
            source.path: store.query(
                "SELECT count(*) FROM event WHERE source_id = :id", id=source.id
            ).value()
            for source in store.sources()
        }
    path.unlink()
    Store(path).writing().close()
    importing = subprocess.Popen(import_command(path, trees))
    seen = 0
    while importing.poll() is None:
        with Store(path) as store:
            counted = store.query(
                "SELECT source.path, count(event.uuid) FROM source "
                "LEFT JOIN event ON source_id = source.id GROUP BY source.path"
            ).all()
        assert {name: whole[name] for name, _ in counted} == dict(counted)
        seen += 1
    assert importing.returncode == 0
    assert seen > 1


# No locks


def test_a_disk_without_locks_is_told_with_what_to_do(
    runinfo: Path, faulty: Faulty, tmp_path: Path
) -> None:
    path = tmp_path / "dnpc.sqlite3"
    done = faulty(path, [runinfo], "lock", path=str(tmp_path), at=1, number=ENOLCK)
    assert done.returncode == 1
    assert f"{path}: its disk knows no locks (No locks available)" in done.stderr
    assert "on a disk of this machine with --db, and move it here" in done.stderr
    assert done.stderr.count("\n") == 1
    # Built elsewhere and moved, it is there.
    with Store(tmp_path / "scratch.sqlite3") as store:
        store.import_(runinfo)
        before = dump(store)
    (tmp_path / "scratch.sqlite3").replace(path)
    assert dump(path) == before


def test_a_database_on_a_disk_without_locks_can_be_asked(
    runinfo: Path, faults: Path, tmp_path: Path
) -> None:
    """Nobody can write it there meanwhile, or nobody could tell."""
    path = tmp_path / "dnpc.sqlite3"
    with Store(path) as store:
        store.import_(runinfo)
    done = subprocess.run(
        [sys.executable, "-m", "dnpcsql", "--db", str(path), "runs"],
        env={**os.environ, **environment(faults, "lock", str(tmp_path), 1, ENOLCK)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "killed" in done.stdout) == (0, True), done.stderr


def test_a_monitoring_db_on_a_disk_without_locks_is_read(
    copy: Case, faulty: Faulty, tmp_path: Path
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    path = tmp_path / "dnpc.sqlite3"
    done = faulty(path, [runinfo], "lock", path="runinfo", at=1, number=ENOLCK)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with Store(tmp_path / "alone.sqlite3") as alone:
        alone.import_(runinfo)
        assert dump(path) == dump(alone)


def test_the_lock_of_a_disk_that_has_them_is_not_told_as_none(store: Store, runinfo: Path) -> None:
    store.writing()
    with closing(holding(store.path, "BEGIN EXCLUSIVE")), pytest.raises(LockedError) as error:
        database.connect(store.path, write=True, wait_s=0.1)
    assert not isinstance(error.value, NoLocksError)
