"""Opening the one file: made if absent, refused if it is not ours, read-only where that will do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from dnpcsql import locks
from dnpcsql.errors import LockedError, NoLocksError, NotFoundError, NotOursError, QueryError

VERSION = 1
_APPLICATION = b"DNPC"
APPLICATION_ID = int.from_bytes(_APPLICATION, "big")
MAGIC = b"SQLite format 3\0"
DEFAULT_NAME = "dnpc.sqlite3"
_CACHE_KIB = 32 * 1024
_WAIT_S = 60.0


def connect(path: Path, *, write: bool = False, wait_s: float = _WAIT_S) -> sqlite3.Connection:
    """Open a database of ours; with `write`, make it if it is not there.

    Raises NotFoundError, NotOursError, LockedError or NoLocksError, each with what to do.
    """
    if not write and not path.exists():
        raise NotFoundError(f"no database {path}: `dnpcsql import PATH` makes one")
    head = _head(path)
    if head and not head.startswith(MAGIC):
        raise NotOursError(f"{path} is not an SQLite database: name another with --db")
    no_locks = locks.why_none(path)
    if no_locks and write:
        raise NoLocksError(
            f"{path}: its disk knows no locks ({no_locks}), without which two programs could spoil "
            "it: write it on a disk of this machine with --db, and move it here when it is done"
        )
    alone = "&nolock=1" if no_locks else ""
    with telling(path):
        if head[68:72] == _APPLICATION and not write and _was_cut_off(path, alone, wait_s):
            with contextlib.closing(_open(path, f"rw{alone}", wait_s)) as connection:
                _look(connection)
        connection = _open(path, "rwc" if write else f"ro{alone}", wait_s)
        try:
            connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
            _check(connection, path, write)
            if write:
                _make_one_file(connection)
                _refresh_views(connection)
            else:
                connection.execute("PRAGMA query_only = 1")
        except BaseException:
            connection.close()
            raise
    return connection


def _head(path: Path) -> bytes:
    """SQLite's header; nothing of an empty file, or where there is none yet."""
    if path.is_dir():
        raise NotOursError(f"{path} is a directory, not a database")
    try:
        with path.open("rb") as file:
            return file.read(100)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise NotOursError(f"{path} cannot be read: {error.strerror}") from None


def _open(path: Path, mode: str, wait_s: float) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=wait_s,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.OperationalError as error:
        raise NotFoundError(f"cannot open {path}: {error}") from None
    return connection


def _look(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _was_cut_off(path: Path, alone: str, wait_s: float) -> bool:
    """Whether its last writer was killed: what that one had not finished is to be undone, which
    SQLite does at the first look by someone who may write."""
    journal = path.with_name(path.name + "-journal")
    if not (journal.exists() and journal.stat().st_size):
        return False
    with contextlib.closing(_open(path, f"ro{alone}", wait_s)) as connection:
        try:
            _look(connection)
            return False
        except sqlite3.OperationalError as error:
            if "readonly" not in str(error):
                raise
            return True


def _check(connection: sqlite3.Connection, path: Path, write: bool) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not tables and not application and write:
        with transaction(connection):
            _create(connection)
    elif application != APPLICATION_ID:
        what = "a database of the old dnpcsql" if {"span", "event"} <= tables else "not ours"
        raise NotOursError(
            f"{path} is {what}: it is left as it is; import into a new file with --db"
        )
    elif version != VERSION:
        raise NotOursError(
            f"{path} has schema version {version}, this dnpcsql writes and reads {VERSION}: "
            "import the run again into a new file with --db"
        )


def _make_one_file(connection: sqlite3.Connection) -> None:
    """While a receiver writes, a database has a log beside it. One that was killed left it so."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        return
    wait_ms = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute("PRAGMA busy_timeout = 0")
    with contextlib.suppress(sqlite3.OperationalError):  # someone has it open, and it stays so
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute(f"PRAGMA busy_timeout = {wait_ms}")


def _create(connection: sqlite3.Connection) -> None:
    # Two first imports at once: the second finds the tables there.
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return
    for statement in sql_files("dnpcsql")["schema"].split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _refresh_views(connection: sqlite3.Connection) -> None:
    """Views live in the file; those of an older release give way to ours."""
    stale = stale_views(connection)
    if not stale:
        return
    with transaction(connection):
        for name in sorted(stale):
            connection.execute(f'DROP VIEW IF EXISTS "{name}"')
            connection.execute(stale[name])


def stale_views(connection: sqlite3.Connection) -> dict[str, str]:
    """Our views that are missing or of another release, {name: statement}."""
    ours = {name: text.rstrip().rstrip(";") for name, text in sql_files("dnpcsql.views").items()}
    theirs = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'"))
    return {
        name: text
        for name, text in ours.items()
        if theirs.get(name) != text[text.index("CREATE VIEW") :]
    }


def sql_files(package: str) -> dict[str, str]:
    """The .sql files of a package, {name: text}, by name."""
    folder = resources.files(package)
    return {
        file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".sql")
    }


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # SQLite may have rolled back by itself, as when the disk is full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def telling(path: Path) -> Iterator[None]:
    """Turn SQLite's own errors into ones that say what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            who = ", ".join(holders(path)) or "a program that cannot be seen from here"
            raise LockedError(f"{path} is locked by {who}: try again when it is done") from None
        if "readonly" in text:
            raise NotOursError(f"{path} cannot be written: {text}") from None
        if "full" in text or "disk I/O" in text:
            raise QueryError(
                f"{path}: {text}; nothing of the file being read was kept. "
                "Make room, or name a file elsewhere with --db, and run it again"
            ) from None
        raise QueryError(f"{path}: {text}") from None
    except UnicodeDecodeError as error:  # in SQLite's own message
        raise NotOursError(f"{path} is damaged: {error}; import into a new file") from None
    except sqlite3.DatabaseError as error:
        if "malformed" in str(error) or "not a database" in str(error):
            raise NotOursError(f"{path} is damaged: {error}; import into a new file") from None
        raise


def holders(path: Path) -> list[str]:
    """The other processes that have a file open, as far as /proc tells."""
    found = []
    target = os.path.realpath(path)
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if any(os.path.realpath(fd) == target for fd in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                found.append(f"process {process.name} ({name})")
    return found
