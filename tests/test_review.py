"""Faults that readers of the code found, each with the input that showed it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.store import Store
from tests.conftest import Case


def test_a_line_that_begins_like_a_head_and_is_none_costs_no_log(store: Store, copy: Case) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    with (runinfo / "000" / "parsl.log").open("a") as log:
        log.write("OSError: a.config 2026 is not there\nabcd-[INFO] 9:: not a head either\n")
    done = store.import_(runinfo)
    assert done.failed == []
    assert store.run("last").tasks == 23


def test_a_lone_surrogate_in_a_json_log_is_text_like_any(store: Store, tmp_path: Path) -> None:
    record = {
        "created": 1795331265.5, "name": "parsl.x", "lineno": 1, "levelname": "INFO",
        "formatted": "Frobnicating /data/b\udce9.txt",
    }  # fmt: skip
    log = tmp_path / "000" / "parsl.jsonlog"
    log.parent.mkdir()
    log.write_text(json.dumps(record) + "\n")
    done = store.import_(tmp_path)
    assert done.failed == []
    assert "Frobnicating /data/b\\udceN.txt" in done.added[0].messages.replace("\\\\", "\\")


def test_an_importer_that_was_edited_reads_its_files_again(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    mine = tmp_path / "mine.py"
    text = "from dnpcsql import Span\ndef mine(path):\n    yield Span('a' * 28, 'TYPE', 'b' * 20)\n"
    for name in ("first", "second"):
        mine.write_text(text.replace("TYPE", name))
        store.import_(tmp_path / "a.log", importer=str(mine))
        assert store.query("SELECT type FROM span").all() == [(name,)]


def test_a_task_that_failed_says_so_on_its_span(store: Store, case: Case) -> None:
    store.import_(case("parsl-2023.12.18-full") / "runinfo")
    rows = store.query(
        "SELECT type, count(*) FROM span WHERE type LIKE '%.task' AND status_code = 2 "
        "GROUP BY type ORDER BY type"
    )
    failed = store.query("SELECT count(*) FROM parsl_task WHERE state IN ('failed', 'dep_fail')")
    number = failed.value()
    assert number > 0
    assert rows.all() == [("parsl.monitoring.task", number), ("parsl.rundir.task", number)]


def test_a_time_that_is_no_whole_number_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from dnpcsql import Event, Span\n"
        "def mine(path):\n"
        "    yield Span('a' * 28, 'mine', 'b' * 20)\n"
        "    yield Event('a' * 28, 'yesterday', 'x', 1)\n"
        "    yield Event('a' * 28, 17, 'fine', 2)\n"
    )
    store.import_(tmp_path / "a.log", importer=str(mine))
    assert store.query("SELECT type FROM event").all() == [("fine",)]
    assert store.query("SELECT kind FROM problem").all() == [("record refused",)]


def test_a_file_that_cannot_be_read_stays_a_problem_until_it_can(store: Store, copy: Case) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    database = runinfo / "monitoring.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:100] + b"\xff" * 4000)
    store.import_(runinfo)
    assert store.query("SELECT kind FROM problem WHERE kind = 'not read'").all()
    database.write_bytes(whole)
    store.import_(runinfo)
    assert store.query("SELECT kind FROM problem WHERE kind = 'not read'").all() == []
    assert store.query("SELECT count(*) FROM span WHERE type LIKE 'parsl.monitoring.%'").value() > 0


def test_pickles_are_never_opened(
    store: Store, copy: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    (runinfo / "000" / "log_config.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    opened: list[str] = []
    real = Path.open

    def watched(path: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(path.name)
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", watched)
    done = store.import_(runinfo)
    assert any(name.endswith("log_config.pkl") for name in done.not_imported)
    assert "parsl.log" in opened
    assert "log_config.pkl" not in opened


def test_two_ages_of_one_log_are_told_of(store: Store, copy: Case) -> None:
    log = copy("parsl-2026.10.26-killed") / "000" / "parsl.log"
    whole = log.read_bytes()
    older = log.with_name("parsl.log.bak")
    older.write_bytes(whole[: whole.rindex(b"\n", 0, len(whole) * 2 // 3) + 1])
    store.import_(log.parent)
    texts = [
        row[0] for row in store.query("SELECT text FROM problem WHERE kind = 'run told twice'")
    ]
    assert len(texts) == 1
    assert "tells of the same run, so its events stand there twice" in texts[0]


def test_a_message_of_several_lines_is_told_whole(case: Case, store: Store) -> None:
    """parsl.log:885: `ValueError: multi-line`, `  message: inner`, `1234.5 not a log line`."""
    store.import_(case("parsl-2025.9.15-multi") / "runinfo" / "004" / "parsl.log")
    whole = "ValueError: multi-line\n  message: inner\n1234.5 not a log line"
    told = store.query(
        "SELECT parsl_try.error, json_extract(event.attributes, '$.\"exception.message\"') "
        "FROM parsl_try JOIN event ON event.span_uuid = "
        "substr(parsl_try.uuid, 1, 12) || '2' || substr(parsl_try.uuid, 14) "
        "WHERE task_id = 5 AND try_id = 2 AND event.type = 'exception'"
    ).all()
    assert told == [(whole, whole)]
