"""Other programs' SQLite files: opened read-only, whatever state they were left in."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dnpcsql.database import MAGIC, holders
from dnpcsql.errors import LockedError, UnreadableError

WAIT_S = 20.0
_JOURNALS = ("-journal", "-wal")


def is_sqlite(head: bytes) -> bool:
    """Whether a file that begins so is an SQLite database."""
    return head.startswith(MAGIC)


def tables_of(path: Path) -> frozenset[str]:
    """The names of a database's tables; none if it cannot be read."""
    try:
        with open_readonly(path) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return frozenset(name for (name,) in rows)
    except (sqlite3.Error, UnreadableError):
        return frozenset()


@contextlib.contextmanager
def open_readonly(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to someone else's database, which is never changed.

    A database that was cut off in mid-write has a journal beside it. Reading it as it is would
    give torn pages, so both are copied to scratch and SQLite rolls back there.
    """
    with contextlib.ExitStack() as stack:
        target, mode = path, "ro"
        if any(_size(path, suffix) for suffix in _JOURNALS):
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dnpcsql-")))
            target, mode = _copied(path, scratch), "rw"
        connection = sqlite3.connect(
            f"{target.absolute().as_uri()}?mode={mode}", uri=True, timeout=WAIT_S
        )
        stack.enter_context(contextlib.closing(connection))
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                who = ", ".join(holders(path)) or "a program that cannot be seen from here"
                raise LockedError(
                    f"{path} is locked by {who}: try again when it is done, or import a copy"
                ) from None
            raise UnreadableError(f"{path}: {error}") from None
        yield connection


def lenient(text: bytes) -> str:
    """A text factory that takes broken UTF-8 as it comes."""
    return text.decode("utf-8", "replace")


def _size(path: Path, suffix: str) -> int:
    journal = path.with_name(path.name + suffix)
    return journal.stat().st_size if journal.is_file() else 0


def _copied(path: Path, scratch: Path) -> Path:
    for suffix in ("", *_JOURNALS, "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.is_file():
            shutil.copyfile(beside, scratch / beside.name)
    return scratch / path.name
