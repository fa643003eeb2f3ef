from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from dnpcsql import database
from dnpcsql.database import connect
from dnpcsql.errors import LockedError, NotFoundError, NotOursError, QueryError
from dnpcsql.store import Store
from tests.conftest import Case, dump

# The tables of the dnpcsql of 2023, which wrote no version.
_OLD_TOOL = """
CREATE TABLE span (uuid TEXT PRIMARY KEY, type TEXT NOT NULL, note TEXT NOT NULL);
CREATE TABLE event (uuid TEXT PRIMARY KEY, span_uuid TEXT NOT NULL, time TEXT NOT NULL,
                    type TEXT NOT NULL, note TEXT NOT NULL);
"""


def made(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def test_a_new_database_is_made_for_writing_only(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite3"
    with pytest.raises(NotFoundError, match=r"no database .*new.sqlite3: `dnpcsql import PATH`"):
        connect(path)
    assert not path.exists()
    connect(path, write=True).close()
    with closing(connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM span").fetchone() == (0,)


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite3"
    path.touch()
    with pytest.raises(NotOursError, match="not ours"):
        connect(path)
    connect(path, write=True).close()
    connect(path).close()


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: made(path, _OLD_TOOL), "is a database of the old dnpcsql: it is left as it"),
        (lambda path: made(path, "CREATE TABLE mine (x)"), "is not ours: it is left as it is"),
        (lambda path: made(path, "PRAGMA application_id = 77"), "is not ours"),
        (lambda path: path.write_text("notes of mine\n" * 9), "is not an SQLite database"),
        (lambda path: path.mkdir(), "is a directory, not a database"),
    ],
)
def test_what_is_not_ours_is_refused_and_left_as_it_is(
    make: object, said: str, write: bool, tmp_path: Path
) -> None:
    path = tmp_path / "some.sqlite3"
    assert callable(make)
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(NotOursError) as error:
        connect(path, write=write)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert before == (path.read_bytes() if path.is_file() else b"")


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("version", [0, database.VERSION + 1])
def test_another_version_is_refused_with_what_to_do(
    version: int, write: bool, tmp_path: Path
) -> None:
    path = tmp_path / "dnpc.sqlite3"
    connect(path, write=True).close()
    made(path, f"PRAGMA user_version = {version}")
    with pytest.raises(NotOursError, match=rf"has schema version {version}.*--db"):
        connect(path, write=write)


def test_a_database_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"cannot open .*nowhere/dnpc\.sqlite3"):
        connect(tmp_path / "nowhere" / "dnpc.sqlite3", write=True)


def test_a_damaged_database_is_refused(tmp_path: Path, case: Case) -> None:
    path = tmp_path / "dnpc.sqlite3"
    with Store(path) as store:
        store.import_(case("parsl-2026.10.26-killed"))
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * (4096 - 100)
    path.write_bytes(bytes(content))
    for write in (False, True):
        with pytest.raises(NotOursError, match=r"damaged.*import into a new file"):
            connect(path, write=write)


def test_damage_that_is_met_later_is_told_too(tmp_path: Path, case: Case) -> None:
    path = tmp_path / "dnpc.sqlite3"
    with Store(path) as store:
        store.import_(case("parsl-2026.10.26-killed"))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with Store(path) as store, pytest.raises((QueryError, NotOursError), match="malformed"):
        store.query("SELECT count(*), max(note), max(attributes) FROM event").all()


def test_a_connection_for_reading_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "dnpc.sqlite3"
    connect(path, write=True).close()
    with closing(connect(path)) as connection:
        for statement in ("DELETE FROM span", "PRAGMA user_version = 9", "CREATE TABLE x (y)"):
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                connection.execute(statement)


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "dnpc.sqlite3"
    connect(path, write=True).close()
    before = path.read_bytes()
    connect(path, write=True).close()
    connect(path).close()
    assert path.read_bytes() == before


def test_views_of_an_older_release_give_way_to_ours(tmp_path: Path) -> None:
    path = tmp_path / "dnpc.sqlite3"
    connect(path, write=True).close()
    made(
        path,
        "DROP VIEW span_duration; CREATE VIEW span_duration AS SELECT 1 AS old;"
        "DROP VIEW moment; CREATE VIEW my_own AS SELECT 2 AS mine",
    )
    with closing(connect(path, write=True)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(span_duration)")]
        assert "duration_s" in columns
        assert connection.execute("SELECT mine FROM my_own").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM moment").fetchone() == (0,)


# Locks

_HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds an exclusive lock."""
    command = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("write", [False, True])
def test_a_locked_database_says_who_holds_it(write: bool, tmp_path: Path) -> None:
    path = tmp_path / "dnpc.sqlite3"
    connect(path, write=True).close()
    with held(path) as process, pytest.raises(LockedError) as error:
        connect(path, write=write, wait_s=0.1)
    assert f"{path} is locked by process {process.pid} (python" in str(error.value)


def test_two_first_imports_at_once_make_one_database(tmp_path: Path, case: Case) -> None:
    path = tmp_path / "dnpc.sqlite3"
    code = "import sys, dnpcsql; dnpcsql.open(sys.argv[1]).import_(sys.argv[2])"
    runinfo = case("parsl-2026.10.26-killed") / "runinfo"
    importing = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(runinfo)]) for _ in range(3)
    ]
    assert [process.wait() for process in importing] == [0, 0, 0]
    with Store(tmp_path / "alone.sqlite3") as alone:
        alone.import_(runinfo)
    assert dump(path) == dump(tmp_path / "alone.sqlite3")


# Cut off

_CUT_OFF = """
import os, signal, sys
from dnpcsql import database
connection = database.connect(__import__("pathlib").Path(sys.argv[1]), write=True)
connection.execute("PRAGMA cache_size = 5")
connection.execute("BEGIN IMMEDIATE")
connection.execute(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
    "INSERT INTO span (uuid, type, trace_high) SELECT printf('%028d', i), 'x', '' FROM n"
)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("write", [False, True])
def test_a_database_that_was_cut_off_in_mid_write_is_as_it_was_before(
    write: bool, tmp_path: Path
) -> None:
    path = tmp_path / "dnpc.sqlite3"
    connect(path, write=True).close()
    before = dump(path)
    killed = subprocess.run([sys.executable, "-c", _CUT_OFF, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.with_name(path.name + "-journal").stat().st_size > 0
    with closing(connect(path, write=write)) as connection:
        assert connection.execute("SELECT count(*) FROM span").fetchone() == (0,)
    assert dump(path) == before


def test_a_foreign_database_that_was_cut_off_is_not_set_right_by_us(tmp_path: Path) -> None:
    path = made(tmp_path / "theirs.sqlite3", "CREATE TABLE span (uuid, type, trace_high)")
    journal = path.with_name(path.name + "-journal")
    connect_theirs = _CUT_OFF.replace(
        'database.connect(__import__("pathlib").Path(sys.argv[1]), write=True)',
        "__import__('sqlite3').connect(sys.argv[1], isolation_level=None)",
    )
    subprocess.run([sys.executable, "-c", connect_theirs, str(path)], check=False)
    before = path.read_bytes(), journal.read_bytes()
    with pytest.raises(NotOursError):
        connect(path)
    assert (path.read_bytes(), journal.read_bytes()) == before


def test_a_database_that_may_not_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    connect(tmp_path / "dnpc.sqlite3", write=True).close()
    monkeypatch.setattr(Path, "open", refusing)
    with pytest.raises(NotOursError, match=r"dnpc\.sqlite3 cannot be read: Permission denied"):
        connect(tmp_path / "dnpc.sqlite3")


def test_nothing_is_kept_of_a_transaction_that_fails(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "dnpc.sqlite3", write=True)) as connection:

        def half() -> None:
            with database.transaction(connection):
                connection.execute("INSERT INTO scope (id) VALUES ('a')")
                connection.execute("nonsense")

        with pytest.raises(sqlite3.OperationalError):
            half()
        assert connection.execute("SELECT count(*) FROM scope").fetchone() == (0,)


def test_a_full_disk_keeps_what_was_there_and_says_what_to_do(tmp_path: Path, case: Case) -> None:
    path = tmp_path / "dnpc.sqlite3"
    killed = case("parsl-2026.10.26-killed")
    multi = case("parsl-2025.9.15-multi") / "runinfo" / "monitoring.db"
    with Store(path) as store:
        store.import_(killed)
        before = dump(store)
        pages = store.query("PRAGMA page_count").value()
        store.writing().execute(f"PRAGMA max_page_count = {pages + 10}")
        with pytest.raises(QueryError, match=r"full.*nothing of the file being read was kept"):
            store.import_(multi)
        assert dump(store) == before
    with Store(path) as store:
        store.import_(multi)
    with Store(tmp_path / "undisturbed.sqlite3") as other:
        other.import_(killed, multi)
        assert dump(path) == dump(other)


def test_holders_are_the_processes_that_have_the_file_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert database.holders(path) == []
    with path.open() as file:
        sleeper = subprocess.Popen(["sleep", "30"], stdin=file)
        try:
            for _ in range(100):
                found = database.holders(path)
                if found == [f"process {sleeper.pid} (sleep)"]:
                    break
                time.sleep(0.02)
            assert found == [f"process {sleeper.pid} (sleep)"]
        finally:
            sleeper.kill()
            sleeper.wait()
