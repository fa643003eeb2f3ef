"""Other programs' SQLite files: opened read-only, whatever state they were left in."""

from __future__ import annotations

import contextlib
import errno
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dnpcsql import fingerprints, locks
from dnpcsql.database import MAGIC, holders
from dnpcsql.errors import UnreadableError
from dnpcsql.scratch import no_room

WAIT_S = 20.0  # for whoever writes it
SHORT_WAIT_S = 1.0  # where it matters little
_CHUNK = 1 << 20
_COPIES = 5  # until one is of a time in which nothing was written

# What comes of reading one: SQLite's own messages may quote what is no UTF-8.
DAMAGE = (sqlite3.Error, UnicodeDecodeError)


def is_sqlite(head: bytes) -> bool:
    """Whether a file that begins so is an SQLite database."""
    return head.startswith(MAGIC)


def told_if_passing(error: Exception, path: Path, connection: sqlite3.Connection) -> None:
    """Raises UnreadableError for an error of now, not of the file: what could be read then must
    not stand for all that it tells. SQLite calls a file damaged too when its disk fails."""
    text = str(error)
    if "locked" in text:
        raise UnreadableError(f"{path}: {error} by its writer: try again") from None
    if "malformed" not in text and "disk I/O" not in text:
        return
    failed = _read_error(path)
    if failed or "disk I/O" in text or _is_whole(connection):
        raise UnreadableError(
            f"{path}: its disk failed ({failed or error}): try again, or import a copy"
        ) from None


def _read_error(path: Path) -> str | None:
    try:
        with path.open("rb", buffering=0) as file:
            while file.read(_CHUNK):
                pass
    except OSError as error:
        return error.strerror
    return None


def _is_whole(connection: sqlite3.Connection) -> bool:
    """Whether nothing is wrong with a database after all."""
    try:
        told: list[tuple[str]] = connection.execute("PRAGMA quick_check(1)").fetchall()
        return told == [("ok",)]
    except DAMAGE:
        return False


def tables_of(path: Path) -> frozenset[str] | None:
    """The names of a database's tables; None if it cannot be read, or not now."""
    try:
        with open_readonly(path, wait_s=SHORT_WAIT_S) as connection:
            connection.text_factory = lenient
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return frozenset(name for (name,) in rows)
    except (*DAMAGE, UnreadableError):
        return None


@contextlib.contextmanager
def open_readonly(path: Path, wait_s: float | None = None) -> Iterator[sqlite3.Connection]:
    """A connection to someone else's database, which is never changed.

    A database whose writer was killed has a journal beside it, of what is to be undone. SQLite
    cannot do that where it may only read, so both are copied to scratch and it is done there.
    Raises UnreadableError, or NoRoomError where there is no room for that.
    """
    wait = WAIT_S if wait_s is None else wait_s
    with contextlib.ExitStack() as stack:
        connection = None if _is_wal(path) else _connected(stack, path, "ro", wait)
        if connection is None or not _ready(connection, path):
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dnpcsql-")))
            copied = _copied(path, scratch)
            # One that never keeps still is being written, and what readers need lies there.
            connection = _connected(stack, copied or path, "rw" if copied else "ro", wait)
            _ready(connection, path)
        yield connection


def _connected(
    stack: contextlib.ExitStack, path: Path, mode: str, wait_s: float
) -> sqlite3.Connection:
    alone = "&nolock=1" if locks.why_none(path) else ""
    uri = f"{path.absolute().as_uri()}?mode={mode}{alone}"
    connection = sqlite3.connect(uri, uri=True, timeout=wait_s)
    stack.enter_context(contextlib.closing(connection))
    return connection


def _ready(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether a database can be read as it is; False if something is to be undone before."""
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except DAMAGE as error:
        if "readonly" in str(error):
            return False
        if "locked" in str(error):
            who = ", ".join(holders(path)) or "a program that cannot be seen from here"
            raise UnreadableError(
                f"{path} is locked by {who}: try again when it is done, or import a copy"
            ) from None
        raise UnreadableError(f"{path}: {error}") from None
    return True


def lenient(text: bytes) -> str:
    """A text factory that takes broken UTF-8 as it comes."""
    return text.decode("utf-8", "replace")


def _is_wal(path: Path) -> bool:
    """Whether a database has a write-ahead log, which even readers write a file beside."""
    with path.open("rb") as file:
        return file.read(20)[18:] == b"\2\2"


def _copied(path: Path, scratch: Path) -> Path | None:
    """A copy, with what is read with it, all of one time; None if it changes all the while."""
    for _ in range(_COPIES):
        before = fingerprints.state(path)
        for suffix in ("", *fingerprints.BESIDE):
            beside = path.with_name(path.name + suffix)
            copy = scratch / beside.name
            copy.unlink(missing_ok=True)
            if beside.is_file():
                _copy(beside, copy)
        if fingerprints.state(path) == before:
            return scratch / path.name
    return None


def _copy(file: Path, to: Path) -> None:
    try:
        shutil.copyfile(file, to)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise no_room(file, error) from None
        raise
