"""Writes what was received, and says so only when it is on the disk.

One thread writes. What comes in while it waits for the disk is written together, so that many
senders cost few commits. The database is in WAL mode meanwhile, so that it can be asked all the
time; at the end it is one file again.

A session, from the start of a receiver to its end, is one source: `otlp://received/` and when it
began. A span's line is its ordinal in the session, an event's line its own. The source's row
grows with every commit, so a session that was killed is as whole as what it acknowledged.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timezone

from dnpcsql import database
from dnpcsql.appending import append
from dnpcsql.errors import DnpcsqlError
from dnpcsql.importers.foreign import Foreign
from dnpcsql.otlp.incoming import OTEL
from dnpcsql.receivers.messages import Message
from dnpcsql.receivers.refusals import RefusedError, failed, unavailable
from dnpcsql.records import Record
from dnpcsql.settling import RECEIVED
from dnpcsql.store import Store

IMPORTER = "otlp receiver"

_WAIT_MS = 5_000  # for another program that writes, before senders are told to come again

_TOGETHER = 20_000  # spans, after which a transaction waits for no more requests

_Item = tuple[Message, "Future[None]"]


@dataclass
class Received:
    """What was taken in, in all."""

    requests: int = 0
    spans: int = 0
    again: int = 0  # of the spans were there already
    rejected: int = 0  # spans that were not understood
    problems: int = 0
    commits: int = 0
    refused: int = 0  # requests


class Session:
    """What one source takes in, a batch at a time, numbered on and on."""

    def __init__(self, store: Store) -> None:
        """The store must be open for writing."""
        self._store = store
        self.received = Received()
        began = datetime.now(timezone.utc).isoformat(timespec="microseconds")
        self.path = f"{RECEIVED}{began.removesuffix('+00:00')}Z"
        self._spans = self._events = 0

    def add(self, messages: Sequence[Message]) -> None:
        """Write some messages in one transaction. Raises DnpcsqlError."""
        foreign = Foreign(OTEL, self._spans, self._events)
        done = append(self._store, self.path, IMPORTER, _records(messages, foreign))
        self._spans, self._events = foreign.incoming.spans, foreign.incoming.events
        received = self.received
        received.commits += 1
        received.requests += len(messages)
        received.spans += done.spans
        received.again += done.again
        received.rejected += sum(message.rejected for message in messages)
        received.problems += done.problems


class Recorder:
    """The one thread that writes."""

    def __init__(self, store: Store) -> None:
        """Opens the database, and makes it if it is not there. Raises DnpcsqlError."""
        self._store = store
        self.session = Session(store)
        self._lock = threading.Lock()
        self._closed = False
        self._waiting: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        connection = store.writing()
        with database.telling(store.path):
            connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
            # Where there is no shared memory, as on some network's disks, it stays as it was.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            # From the first look on nobody else can take it out of this mode.
            connection.execute("SELECT count(*) FROM source").fetchone()
        self._thread = threading.Thread(target=self._run, name="dnpcsql-recorder", daemon=True)
        self._thread.start()

    def record(self, message: Message) -> None:
        """Return when it is written, whatever happens then. Raises RefusedError if it was not."""
        done: Future[None] = Future()
        with self._lock:
            if self._closed:
                raise unavailable("the receiver has stopped")
            self._waiting.put((message, done))
        try:
            done.result()
        except RefusedError:
            raise
        except DnpcsqlError as error:
            raise unavailable(str(error)) from None
        except sqlite3.Error as error:
            raise unavailable(f"{type(error).__name__}: {error}") from None
        except Exception as error:
            raise failed(error) from error

    def close(self) -> str | None:
        """Write what waits, and make the database one file. Why it is not, if it is not."""
        with self._lock:
            if self._closed:
                return None
            self._closed = True
            self._waiting.put(None)
        self._thread.join()
        connection = self._store.writing()
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            path = self._store.path
            return f"{error}: {path} needs {path.name}-wal beside it until it is next written"
        finally:
            self._store.close()
        return None

    def _run(self) -> None:
        more = True
        while more:
            batch, more = self._batch()
            if batch:
                self._record(batch)

    def _batch(self) -> tuple[list[_Item], bool]:
        """What waits, as much as is written together, and whether more is to come.

        One that has little does not wait for all that many others have.
        """
        batch: list[_Item] = []
        spans = 0
        item = self._waiting.get()
        with contextlib.suppress(queue.Empty):
            while item is not None:
                batch.append(item)
                spans += item[0].spans
                if spans >= _TOGETHER:
                    return batch, True
                item = self._waiting.get_nowait()
            return batch, False
        return batch, True

    def _record(self, batch: Sequence[_Item]) -> None:
        try:
            self.session.add([message for message, _ in batch])
        except Exception as error:
            if len(batch) == 1 or isinstance(error, (DnpcsqlError, sqlite3.Error)):
                for _, done in batch:
                    done.set_exception(error)
            else:
                # One that cannot be written does not spoil those that came with it.
                for item in batch:
                    self._record([item])
            return
        for _, done in batch:
            done.set_result(None)


def _records(messages: Sequence[Message], foreign: Foreign) -> Iterator[Record]:
    for message in messages:
        yield from message.records(foreign)
    yield from foreign.ended()
