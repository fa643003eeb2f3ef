"""Counting back what a Jaeger has of each trace."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dnpcsql.exporters import verifying
from dnpcsql.exporters.verifying import Missing, Verified, verify


@contextmanager
def jaeger(counts: dict[str, list[int]]) -> Iterator[str]:
    """One that has so many spans of a trace when it is asked first, second … and last."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = counts[self.path.partition("?")[0].rpartition("/")[2]]
            spans = "{}" + ",{}" * ((found.pop(0) if len(found) > 1 else found[0]) - 1)
            body = f'{{"result":{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}}}'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Clock:
    """Time that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("counts", "answer", "slept"),
    [
        ({"a": [3], "b": [2]}, Verified([], 0), 0),
        ({"a": [5], "b": [2]}, Verified([], 2), 0),
        ({"a": [1, 3], "b": [1, 1, 2]}, Verified([], 0), 1.5),
        ({"a": [1] * 18 + [2] * 18 + [3], "b": [2]}, Verified([], 0), 18),
        ({"a": [2], "b": [1]}, Verified([Missing("a", 3, 2), Missing("b", 2, 1)], 0), 10),
    ],
    ids=["all", "more", "later", "much later", "fewer"],
)
def test_fewer_than_were_sent_are_missing(
    counts: dict[str, list[int]], answer: Verified, slept: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(verifying, "time", clock)
    with jaeger(counts) as url:
        assert verify(url, {"a": 3, "b": 2}, wait_s=10) == answer
    assert clock.now == slept
