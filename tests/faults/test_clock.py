"""Clocks that go backwards: of the machine that imports, of its files, and in the logs."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from dnpcsql.store import Store
from tests.conftest import Case, dump


def test_of_the_machine_that_imports(
    copy: Case, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    clock = [2_000_000_000.0]

    def backwards() -> float:
        clock[0] -= 3_600
        return clock[0]

    with monkeypatch.context() as patch:
        patch.setattr(time, "time", backwards)
        store.import_(runinfo)
        before = dump(store)
        assert store.import_(runinfo).added == []
        store.forget("parsl.log")
        store.import_(runinfo)
    assert dump(store) == before
    with Store(tmp_path / "fresh.sqlite3") as fresh:
        fresh.import_(runinfo)
        assert dump(fresh) == before


def test_of_the_files(copy: Case, store: Store, tmp_path: Path) -> None:
    """Put back from an archive, a file of the same size may be older than the one it replaces."""
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    store.import_(runinfo)
    log.write_bytes(log.read_bytes().replace(b"Task 7 ", b"Task 8 "))
    os.utime(log, ns=(1, 1))
    assert [Path(source.path).name for source in store.import_(runinfo).added] == ["parsl.log"]
    with Store(tmp_path / "fresh.sqlite3") as fresh:
        fresh.import_(runinfo)
        assert dump(store) == dump(fresh)


# 1795331265.604051 2026-11-22 07:07:45 MainProcess-18696 MainThread-… parsl.dataflow.dflow:123 …
_STAMP = re.compile(r"^(\d{10})(\.\d+ )(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE)


def an_hour_earlier(text: str) -> str:
    def moved(found: re.Match[str]) -> str:
        local = time.strptime(found[3], "%Y-%m-%d %H:%M:%S")
        back = time.gmtime(int(time.mktime(local)) - time.timezone - 3_600)
        return f"{int(found[1]) - 3_600}{found[2]}{time.strftime('%Y-%m-%d %H:%M:%S', back)}"

    return _STAMP.sub(moved, text)


def test_in_a_log(copy: Case, store: Store, tmp_path: Path) -> None:
    """Set back by an hour in mid-run: all events are there, as the log has them."""
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    text = log.read_text()
    half = text.index("\n", len(text) // 2) + 1
    with Store(tmp_path / "steady.sqlite3") as steady:
        steady.import_(log)
        events = steady.query("SELECT count(*) FROM event").value()
    log.write_text(text[:half] + an_hour_earlier(text[half:]))
    done = store.import_(log)
    assert (done.failed, done.problems) == ([], 0)
    assert store.query("SELECT count(*) FROM event").value() == events
    back = (
        "SELECT count(*) FROM event AS earlier JOIN event AS later USING (span_uuid) "
        "WHERE later.line > earlier.line AND later.time_unix_nano < earlier.time_unix_nano - 3e12"
    )
    assert store.query(back).value() > 0
    for view in ("parsl_run", "parsl_task", "parsl_try", "event_sequence"):
        store.query(view).all()
