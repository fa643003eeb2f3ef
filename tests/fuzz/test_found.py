"""What fuzzing found, each as small as it can be shown."""

# ruff: noqa: UP031  # JSON is full of braces
from __future__ import annotations

import json
from pathlib import Path

import pytest

from dnpcsql.checks import DAMAGED
from dnpcsql.store import Store
from tests.importers.test_bad_traces import a_document, a_span
from tests.importers.test_namespaced_log import start
from tests.importers.test_taskvine import CONNECTED, MANUAL
from tests.importers.test_wfformat import NEW

_DIGITS = "9" * 5_000
_WORKER = (
    "1795449426.064590 2026-11-23 15:57:06 HTEX-Worker-0-20 MainThread-140 "
    "parsl.executors.high_throughput.process_worker_pool:{} worker INFO: {}\n"
)


def brought(store: Store, path: Path, content: str) -> dict[str, int]:
    """The problems of a file that must not fail as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    assert store.import_(path).failed == []
    return dict(store.query("SELECT kind, sum(count) FROM problem GROUP BY kind").all())


JAEGER = '{"data": [{"traceID": "ab", "spans": [], "processes": {"p": %s}}]}'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("otlp.json", a_document(a_span()).replace('"kind": 1', f'"kind": {_DIGITS}')),
        ("zipkin.json", '[{"traceId": "%s", "id": "%s", "duration": %s}]'
         % ("a" * 32, "b" * 16, _DIGITS)),
        ("jaeger.json", '{"data": [{"traceID": "ab", "spans": [{"spanID": "1", "duration": %s}]}]}'
         % _DIGITS),
        ("wf.json", json.dumps(NEW).replace("90.5", _DIGITS)),
    ],
)  # fmt: skip
def test_a_number_of_thousands_of_digits_is_malformed(
    name: str, content: str, store: Store, tmp_path: Path
) -> None:
    """Python refuses to read it, with a ValueError that is no JSONDecodeError."""
    assert brought(store, tmp_path / name, content)


@pytest.mark.parametrize(
    "content",
    [
        a_document(a_span()) + "\n" + "[" * 5_000 + "\n" + a_document(a_span(2)),
        '[{"traceId": "%s", "id": "%s"}]\n' % ("a" * 32, "b" * 16) + "[" * 5_000,
        JAEGER % "{}" + "\n" + '{"data": ' + "[" * 5_000,
    ],
    ids=["otlp", "zipkin", "jaeger"],
)
def test_thousands_of_arrays_in_each_other(content: str, store: Store, tmp_path: Path) -> None:
    problems = brought(store, tmp_path / "traces.json", content)
    assert problems["malformed JSON"] == 1
    # What follows in the next line is read.
    if content.startswith('{"resource'):
        assert store.query("SELECT count(*) FROM span").value() == 2


@pytest.mark.parametrize(
    "scope",
    ['{"name": "lib"}((((', '"lib"((', '"lib", "x": (('],
    ids=["damaged", "no object", "neither"],
)
def test_spans_are_read_though_their_scope_is_damaged(
    scope: str, store: Store, tmp_path: Path
) -> None:
    """What is said of all spans of a scope is read before them: it may hold fewer scopes."""
    content = (
        '{"resourceSpans": [{"scopeSpans": [{"spans": [%s], "scope": %s}]}]}'
        % (json.dumps(a_span()), scope)
    )  # fmt: skip
    brought(store, tmp_path / "traces.json", content)
    assert store.query("SELECT count(*) FROM span").value() == 1


def test_half_of_a_character_costs_that_character(store: Store, tmp_path: Path) -> None:
    """JSON can write what UTF-8 cannot."""
    text = MANUAL.replace("TASK 2 WAITING default", r"TASK 2 WAITING default").replace(
        '{"cores":[1,"cores"]}', r'{"cores":[1,"\ud800"]}'
    )
    brought(store, tmp_path / "vine-logs" / "transactions", text + CONNECTED)
    assert store.query("SELECT count(*) FROM event WHERE type = 'WAITING'").value() == 2
    assert [one for one in store.check() if one.fails] == []


def test_half_of_a_character_in_what_was_not_understood(store: Store, tmp_path: Path) -> None:
    line = start().replace("AgentId<", r"AgentId<\ud83d")
    brought(store, tmp_path / "x.jsonlog", line * 2 + '{"formatted": "\\ud800"}\n')
    assert store.query("SELECT count(*) FROM event").value() > 0


def test_a_record_without_its_logger_is_torn(store: Store, tmp_path: Path) -> None:
    line = json.loads(start())
    del line["name"]
    line = {name: text for name, text in line.items() if "academy" not in name}
    problems = brought(store, tmp_path / "x.jsonlog", f"{start()}{json.dumps(line)}\n")
    assert problems["torn record"] == 1


def test_a_setting_of_hundreds_of_digits_stays_text(store: Store, tmp_path: Path) -> None:
    head = "2026-11-22 07:06:48.125 parsl:281 16651 MainThread [INFO]  "
    text = f"{head}Manager ID: 91365d3eae4d\n{head}cores_per_worker: {'9' * 400}\n"
    brought(store, tmp_path / "manager.log", text)


def test_a_time_beyond_2262_is_not_understood(store: Store, tmp_path: Path) -> None:
    text = "9677161346.500000 start\n1677161347.25 function done\n"
    problems = brought(store, tmp_path / "function_data" / "0019" / "log", text)
    assert problems["record not understood"] == 1
    assert "record refused" not in problems
    assert store.query("SELECT type FROM event").all() == [("function done",)]


def test_a_head_of_a_year_that_64_bits_do_not_hold(store: Store, tmp_path: Path) -> None:
    text = _WORKER.format(642, "Received executor task 7")
    late = text.replace("1795449426", "9795449426"), "9999-11-22 07:06:52.046 worker_log:642 16704"
    old = f"{late[1]} MainThread [INFO]  Received executor task 8\n"
    problems = brought(store, tmp_path / "worker_0.log", text + late[0] + old)
    assert "record refused" not in problems
    assert problems["torn record"] >= 1
    assert store.query("SELECT count(*) FROM event").value() == 1


def test_a_task_without_a_name_is_a_problem(store: Store, tmp_path: Path) -> None:
    text = json.dumps(NEW).replace('"name": "merge", "id": "t3"', '"x": 1')
    assert brought(store, tmp_path / "wf.json", text)["task not understood"] == 1


def test_infinity_in_json_is_text(store: Store, tmp_path: Path) -> None:
    brought(
        store, tmp_path / "wf.json", json.dumps(NEW).replace('"two alignments, merged"', "1e999")
    )
    brought(store, tmp_path / "late.json", json.dumps(NEW).replace("90.5", "1e10"))
    assert "record refused" not in dict(store.query("SELECT kind, 1 FROM problem").all())
    assert [one for one in store.check() if one.level == DAMAGED] == []


def test_an_event_has_its_span_though_the_line_that_told_of_it_is_lost(
    store: Store, tmp_path: Path
) -> None:
    text = _WORKER.format(642, "Completed executor task 7") + _WORKER.format(
        651, "All processing finished for executor task 7"
    )
    brought(store, tmp_path / "worker_0.log", text)
    assert store.query(
        "SELECT event.type, span.type FROM event LEFT JOIN span ON span.uuid = span_uuid "
        "ORDER BY event.line"
    ).all() == [
        ("worker_completed_task", "parsl.executor.htex.worker.task"),
        ("worker_all_finished_task", "parsl.executor.htex.worker.task"),
    ]
