"""What was acknowledged is there: after kill -9, after SIGTERM in the midst of it, when the disk
is full or another program writes.
"""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from dnpcsql import Record, database
from dnpcsql.appending import Appended, append
from dnpcsql.importers.foreign import Foreign
from dnpcsql.importers.otlp_json import element_records
from dnpcsql.receivers import recorder
from dnpcsql.store import Store
from tests.receivers.conftest import Serving, Start, count, export
from tests.receivers.test_http import DOCUMENT, PROTOBUF, a_message, post

SENDERS = 4
SPANS = 20  # a request


class Sender(threading.Thread):
    """Sends until it may not; keeps what was acknowledged."""

    def __init__(self, serving: Serving, number: int) -> None:
        super().__init__()
        self._address = (serving.grpc if number % 2 else serving.http).partition("//")[2]
        self._number = number
        self.acknowledged: set[str] = set()

    def run(self) -> None:
        send = self._by_grpc if self._number % 2 else self._by_http
        round_ = 0
        while True:
            names = [f"{self._number}.{round_}.{place}" for place in range(SPANS)]
            try:
                send(a_message(*names).replace(b"\0\0\0\0\0\0", self._unique(round_)))
            except (OSError, http.client.HTTPException, grpc.RpcError):
                return
            self.acknowledged.update(names)
            round_ += 1

    def _unique(self, round_: int) -> bytes:
        """Six bytes of each span id: else all requests would be of the same spans."""
        return bytes((1 + self._number, *round_.to_bytes(5, "big")))

    def _by_http(self, body: bytes) -> None:
        with contextlib.closing(http.client.HTTPConnection(self._address, timeout=20)) as to:
            to.request("POST", "/v1/traces", body, {"Content-Type": PROTOBUF})
            if to.getresponse().status != 200:
                raise OSError

    def _by_grpc(self, body: bytes) -> None:
        with grpc.insecure_channel(self._address) as channel:
            export(channel, body)


def sending(serving: Serving, requests: int) -> list[Sender]:
    """Senders in full swing: so many of their requests were acknowledged."""
    senders = [Sender(serving, number) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    until = time.monotonic() + 60
    while sum(len(sender.acknowledged) for sender in senders) < requests * SPANS:
        assert time.monotonic() < until
        time.sleep(0.01)
    return senders


def acknowledged(senders: list[Sender]) -> set[str]:
    for sender in senders:
        sender.join(30)
    return {name for sender in senders for name in sender.acknowledged}


def names(path: Path) -> list[str]:
    with Store(path) as store:
        return [name for (name,) in store.query("SELECT name FROM span")]


@pytest.mark.parametrize("requests", [2, 40])
def test_kill_9_loses_nothing_that_was_acknowledged(
    serve: Callable[..., Serving], requests: int
) -> None:
    serving = serve()
    senders = sending(serving, requests)
    serving.process.kill()
    known = acknowledged(senders)
    # Read as it was left, and then written to again.
    found = names(serving.database)
    assert known <= set(found)
    assert len(found) == len(set(found))
    with Store(serving.database) as store:
        writing = store.writing()
        assert writing.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert writing.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        (source,) = store.sources()
        assert (source.understood, source.lines) == (len(found), len(found))
    assert [path.name for path in serving.database.parent.iterdir()] == [serving.database.name]
    assert set(names(serving.database)) == set(found)
    # The next session goes on with the same file.
    again = serve()
    assert "received 0 spans" in again.stop()
    assert set(names(serving.database)) == set(found)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_loses_nothing_that_was_acknowledged(
    serve: Callable[..., Serving], number: int
) -> None:
    serving = serve()
    senders = sending(serving, 20)
    said = serving.stop(number)
    known = acknowledged(senders)
    found = names(serving.database)
    assert known <= set(found)
    assert len(found) == len(set(found))
    assert f"received {len(found):,} spans" in said
    assert serving.process.returncode == 0
    assert [path.name for path in serving.database.parent.iterdir()] == [serving.database.name]
    with contextlib.closing(sqlite3.connect(serving.database)) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_request_under_way_is_finished(serve: Callable[..., Serving]) -> None:
    serving = serve()
    host, _, port = serving.http.partition("//")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(DOCUMENT)
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        serving.process.terminate()
        until = time.monotonic() + 30
        with contextlib.suppress(OSError):
            while time.monotonic() < until:
                socket.create_connection((host, int(port)), timeout=30).close()
                time.sleep(0.01)
        connection.sendall(DOCUMENT)
        answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in answer
    assert serving.process.wait(30) == 0
    assert count(serving.database) == 2


def test_those_that_come_together_are_written_together(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly(*arguments: Any) -> Appended:
        begun.set()
        assert go_on.wait(60)
        return append(*arguments)

    monkeypatch.setattr("dnpcsql.receivers.recorder.append", slowly)
    receiver = start()
    threads = [threading.Thread(target=post, args=(receiver, DOCUMENT)) for _ in range(8)]
    threads[0].start()
    assert begun.wait(60)
    for thread in threads[1:]:
        thread.start()
    until = time.monotonic() + 60
    while receiver._recorder is None or receiver._recorder._waiting.qsize() < 7:
        assert time.monotonic() < until
        time.sleep(0.01)
    go_on.set()
    for thread in threads:
        thread.join()
    assert (receiver.received.requests, receiver.received.commits) == (8, 2)
    assert (receiver.received.spans, receiver.received.again) == (16, 14)
    assert count(receiver._store.path) == 2


def test_one_that_fails_does_not_spoil_those_that_came_with_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of ours, which must not be told as one that goes away."""

    def failing(element: Any, foreign: Foreign) -> Iterator[Record]:
        if "explode" in str(element):
            raise ZeroDivisionError("it exploded")
        return element_records(element, foreign)

    monkeypatch.setattr("dnpcsql.receivers.messages.element_records", failing)
    receiver = start()
    status, headers, body = post(receiver, DOCUMENT.replace(b'"it"', b'"explode"'))
    assert (status, headers["Retry-After"]) == (500, None)
    assert b"ZeroDivisionError: it exploded" in body
    assert post(receiver, DOCUMENT)[0] == 200
    assert count(receiver._store.path) == 2


def test_while_another_program_writes_senders_are_told_to_come_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_WAIT_MS", 100)
    receiver = start()
    other = database.connect(receiver._store.path, write=True)
    other.execute("BEGIN IMMEDIATE")
    status, headers, body = post(receiver, DOCUMENT)
    assert (status, headers["Retry-After"]) == (503, "1")
    assert b"locked" in body
    other.execute("COMMIT")
    assert post(receiver, DOCUMENT)[0] == 200
    # It is asked while it is written, and cannot be made one file by the receiver at its end.
    assert receiver.stop() is not None
    other.close()
    with Store(receiver._store.path) as store:
        assert store.writing().execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert count(receiver._store.path) == 2


def test_a_full_disk_is_not_the_senders_fault(start: Start) -> None:
    receiver = start()
    assert post(receiver, DOCUMENT)[0] == 200
    connection = receiver._store.writing()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    large = a_message(*(f"{'x' * 4_000}{number}" for number in range(100)))
    status, headers, body = post(receiver, large, PROTOBUF)
    assert (status, headers["Retry-After"]) == (503, "1")
    assert b"full" in body
    connection.execute("PRAGMA max_page_count = 1000000")
    assert post(receiver, large, PROTOBUF)[0] == 200
    assert count(receiver._store.path, "SELECT count(DISTINCT name) FROM span") == 101
