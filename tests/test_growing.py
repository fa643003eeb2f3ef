"""Files that grow, are cut, rotated and written anew between imports, and during one: the end is
one import of the final files.

`DNPCSQL_REWRITES=100 pytest tests/test_growing.py` draws more histories than a suite has time for.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dnpcsql.importers import sqlite_file
from dnpcsql.store import Store
from tests.conftest import Case, Row, dump

HISTORIES = int(os.environ.get("DNPCSQL_REWRITES", "4"))


def fresh(tree: Path, at: Path) -> dict[str, list[Row]]:
    """One import of the files as they are."""
    path = at / "fresh.sqlite3"
    path.unlink(missing_ok=True)
    with Store(path) as store:
        store.import_(tree)
    return dump(path)


# Histories


def cut(path: Path, whole: bytes, draw: random.Random) -> None:
    """As it was earlier, in the midst of a line most often."""
    path.write_bytes(whole[: draw.randrange(3_000, len(whole))])


def whole_again(path: Path, whole: bytes, draw: random.Random) -> None:
    path.write_bytes(whole)


def rotated(path: Path, whole: bytes, draw: random.Random) -> None:
    """As logrotate does: a new file takes its place."""
    path.rename(path.with_name(draw.choice(("a-parsl.log", "parsl.log.1", "parsl.log-20261123"))))
    path.write_bytes(whole[: draw.randrange(1_000, 3_000)])


def copied_and_emptied(path: Path, whole: bytes, draw: random.Random) -> None:
    """As logrotate's `copytruncate` does."""
    shutil.copy2(path, path.with_name(draw.choice(("a-parsl.log", "parsl.log.1"))))
    path.write_bytes(b"")


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_whatever_becomes_of_a_log_the_end_is_one_import_of_the_final_files(
    seed: int, copy: Case, store: Store, tmp_path: Path
) -> None:
    draw = random.Random(seed)
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    whole = log.read_bytes()
    for _ in range(4):
        draw.choice((cut, whole_again, rotated, copied_and_emptied))(log, whole, draw)
        store.import_(runinfo)
        assert dump(store) == fresh(runinfo, tmp_path)


@pytest.mark.parametrize("name", ["a-parsl.log", "parsl.log.1"])
def test_a_rotated_log_is_kept_though_the_old_name_is_another_log_now(
    name: str, copy: Case, store: Store, tmp_path: Path
) -> None:
    """Whichever of the two is met first."""
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    store.import_(runinfo)
    first = log.read_bytes()
    log.rename(log.with_name(name))
    log.write_bytes(first[first.index(b"\n", len(first) // 2) + 1 :])
    store.import_(runinfo)
    assert dump(store) == fresh(runinfo, tmp_path)


def test_a_rotated_log_alone_takes_nothing_from_the_other(
    copy: Case, store: Store, tmp_path: Path
) -> None:
    """What is not at hand stays, and what is told twice is told of."""
    log = copy("parsl-2026.10.26-killed") / "000" / "parsl.log"
    lines = log.read_bytes().splitlines(keepends=True)
    older = log.with_name("parsl.log.1")
    older.write_bytes(b"".join(lines[:200]))
    log.write_bytes(b"".join(lines[200:]))
    done = store.import_(log.parent)
    assert len(done.added) == 3
    events = store.query("SELECT count(*) FROM event").value()
    with log.open("ab") as file:
        file.write(lines[-1])
    store.import_(log)
    assert len(store.sources()) == 3
    assert store.query("SELECT count(*) FROM event").value() >= events
    assert store.query("SELECT count(*) FROM problem WHERE kind = 'run told twice'").value() > 0


def test_what_is_read_again_is_counted_once(copy: Case, store: Store) -> None:
    log = copy("parsl-2026.10.26-killed") / "000" / "parsl.log"
    whole = log.read_bytes()
    log.with_name("parsl.log.1").write_bytes(whole[: len(whole) // 2])
    first = store.import_(log.parent)
    with log.open("ab") as file:
        file.write(b"more\n")
    again = store.import_(log.parent)
    assert again.counts == Counter(
        {key: count for key, count in first.counts.items() if key[0] == "parsl.log"}
    )
    assert len(again.added) == 2


def test_files_that_grow_side_by_side(copy: Case, store: Store, tmp_path: Path) -> None:
    """Every log of a tree at its own pace, a bit at a time."""
    runinfo = copy("parsl-2025.9.15-elastic")
    logs = [path for path in sorted((runinfo / "000").rglob("*")) if path.is_file()]
    whole = {path: path.read_bytes() for path in logs}
    draw = random.Random(8)
    parts = dict.fromkeys(logs, 0.0)
    for log in logs:
        log.write_bytes(b"")
    while min(parts.values()) < 1:
        for log in draw.sample(logs, len(logs) // 2 + 1):
            parts[log] = min(1, parts[log] + draw.random())
            log.write_bytes(whole[log][: round(len(whole[log]) * parts[log])])
        store.import_(runinfo)
    assert dump(store) == fresh(runinfo, tmp_path)


def test_a_log_that_grows_while_it_is_read_is_read_again(
    copy: Case, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    whole = log.read_bytes()
    half = whole.index(b"\n", len(whole) // 2) + 1
    log.write_bytes(whole[:half])
    monkeypatch.setattr("dnpcsql.writer.BATCH", 20)

    def grow(name: str, _done: int, _total: int, records: int) -> None:
        if name == str(log) and 20 <= records < 60 and log.stat().st_size == half:
            with log.open("ab") as file:
                file.write(whole[half:])

    store.import_(runinfo, progress=grow)
    assert log.read_bytes() == whole
    store.import_(runinfo)
    assert dump(store) == fresh(runinfo, tmp_path)


# Databases with a write-ahead log


@pytest.fixture
def in_wal(copy: Case) -> Path:
    """A monitoring.db in WAL mode, of which the task rows after the 10th are yet to come."""
    path = copy("parsl-2026.10.26-killed") / "monitoring.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE later AS SELECT * FROM task WHERE task_id > 10;"
            "DELETE FROM task WHERE task_id > 10; PRAGMA journal_mode = WAL"
        )
    return path


def writer(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


TASKS = "SELECT count(*) FROM event WHERE type = 'pending' OR type = 'invoked'"
ALL_LATER = "INSERT INTO task SELECT * FROM later"


def test_a_database_that_grew_in_its_log_alone_is_read_again(
    in_wal: Path, store: Store, tmp_path: Path
) -> None:
    with closing(writer(in_wal)) as connection:
        connection.execute("INSERT INTO task SELECT * FROM later LIMIT 2")
        store.import_(in_wal.parent)
        before = in_wal.read_bytes(), in_wal.stat().st_mtime_ns
        connection.execute("INSERT INTO task SELECT * FROM later LIMIT 100 OFFSET 2")
        assert (in_wal.read_bytes(), in_wal.stat().st_mtime_ns) == before
        assert [Path(source.path).name for source in store.import_(in_wal.parent).added] == [
            "monitoring.db"
        ]
        assert dump(store) == fresh(in_wal.parent, tmp_path)
        assert store.import_(in_wal.parent).added == []
    assert not in_wal.with_name("monitoring.db-wal").exists()
    store.import_(in_wal.parent)
    assert dump(store) == fresh(in_wal.parent, tmp_path)


def test_a_database_that_lost_its_log_is_read_again(
    in_wal: Path, store: Store, tmp_path: Path
) -> None:
    """Copied with it, and then without."""
    place = tmp_path / "copied"
    place.mkdir()
    with closing(writer(in_wal)) as connection:
        connection.execute(ALL_LATER)
        for name in ("monitoring.db", "monitoring.db-wal"):
            shutil.copy(in_wal.with_name(name), place)
    store.import_(place)
    with_it = dump(store)
    (place / "monitoring.db-wal").unlink()
    store.import_(place)
    assert dump(store) == fresh(place, tmp_path)
    assert dump(store) != with_it


def moved_meanwhile(connection: sqlite3.Connection, times: int) -> Callable[[Path, Path], None]:
    """Copying, while the writer moves what stands in the log into the file."""
    left = [times]

    def copyfile(file: Path, to: Path) -> None:
        shutil.copyfile(file, to)
        if not file.name.endswith("-wal") and left[0]:
            left[0] -= 1
            connection.execute("INSERT INTO task SELECT * FROM later LIMIT 1")
            connection.execute("DELETE FROM later WHERE task_id = (SELECT min(task_id) FROM later)")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    return copyfile


@pytest.mark.parametrize("times", [1, 100])
def test_a_copy_is_of_one_time_though_its_writer_goes_on(
    times: int, in_wal: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed before is there, whichever of the two files it stood in."""
    with closing(writer(in_wal)) as connection:
        connection.execute("INSERT INTO task SELECT * FROM later LIMIT 5")
        connection.execute("DELETE FROM later WHERE task_id <= 15")
        known = connection.execute("SELECT count(*) FROM task").fetchone()[0]
        with monkeypatch.context() as patch:
            patch.setattr(sqlite_file, "_copy", moved_meanwhile(connection, times))
            store.import_(in_wal)
        read = store.query("SELECT count(*) FROM span WHERE type = 'parsl.monitoring.task'").value()
        assert read >= known
        store.import_(in_wal)
        assert dump(store) == fresh(in_wal, tmp_path)
