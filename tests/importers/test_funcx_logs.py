"""The logs of funcX's clients, endpoints, managers and workers, a record at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dnpcsql.clock import fixed
from dnpcsql.importers import Context
from dnpcsql.importers import funcx_names as names
from dnpcsql.importers.choice import Choice
from dnpcsql.importers.funcx_client_log import funcx_client_log
from dnpcsql.importers.funcx_endpoint_log import funcx_endpoint_log
from dnpcsql.importers.funcx_manager_log import funcx_manager_log
from dnpcsql.importers.funcx_worker_log import funcx_worker_log
from dnpcsql.importers.globus_compute_audit import globus_compute_audit
from dnpcsql.importers.text import LINE_LIMIT
from dnpcsql.records import Event, Problem, Record, Span, Tally
from tests import funcx_samples as samples
from tests.funcx_samples import BEGAN, EIGHT, ENDPOINT, MANAGER, SEVEN

Importer = Callable[[Path, Context], Iterator[Record]]
PLACE = Context(manager_uid=MANAGER, clock=fixed(0, "from elsewhere"))
LOGS: dict[str, tuple[Importer, tuple[str, ...]]] = {
    "client.log": (funcx_client_log, samples.CLIENT_LOG),
    "endpoint.log": (funcx_endpoint_log, samples.ENDPOINT_LOG),
    "manager.log": (funcx_manager_log, samples.MANAGER_LOG),
    "funcx_worker_3.log": (funcx_worker_log, samples.WORKER_LOG),
}


def read(
    tmp_path: Path, name: str, *lines: str, end: str = "\n", context: Context = PLACE
) -> list[Record]:
    path = tmp_path / name
    path.write_text("\n".join(lines) + end)
    return list(LOGS[name][0](path, context))


def events(records: list[Record], uuid: str) -> list[tuple[str, float]]:
    return [
        (r.type, round(r.time_unix_nano / 1e9 - BEGAN, 3))
        for r in records
        if isinstance(r, Event) and r.span_uuid == uuid
    ]


def problems(records: list[Record]) -> list[tuple[str, str]]:
    return [(r.kind, r.text) for r in records if isinstance(r, Problem)]


def tally(records: list[Record]) -> Tally:
    (found,) = (r for r in records if isinstance(r, Tally))
    return found


def spans(records: list[Record], type_: str) -> list[Span]:
    return [r for r in records if isinstance(r, Span) and r.type == type_]


# What each tells


def test_a_client_tells_of_its_tasks_by_the_uuid_that_it_learns_last(tmp_path: Path) -> None:
    records = read(tmp_path, "client.log", *samples.CLIENT_LOG)
    assert events(records, names.task(names.CLIENT, SEVEN)) == [
        ("submit", 1.0), ("submitted", 1.1), ("result_start", 9.0), ("retrieved", 9.1),
        ("remote.start", 5.25), ("remote.end", 6.5),
    ]  # fmt: skip
    told = [span for span in spans(records, "funcx.client.task") if SEVEN in str(span.attributes)]
    assert {span.trace_high for span in told} == {SEVEN.replace("-", "")[:20]}
    assert json.loads(told[-1].attributes or "") == {
        "funcx.task.id": SEVEN, "funcx.task.number": 7, "funcx.task.asked_s": 1.25,
    }  # fmt: skip
    (client,) = spans(records, "funcx.client")
    assert json.loads(client.attributes or "") == {
        "process.pid": 221120, "funcx.task_group.id": samples.GROUP,
    }  # fmt: skip
    assert events(records, client.uuid) == [
        ("init_client", 0.0), ("submit_start", 0.2), ("results_end", 9.9),
    ]  # fmt: skip
    assert [kind for kind, _ in problems(records)] == ["task without UUID"]


def test_each_start_of_a_client_numbers_its_tasks_anew(tmp_path: Path) -> None:
    again = [
        samples.client(100, "SYNTHETIC init_client"),
        samples.client(101, "FUNC 7 submit"),
        samples.client(102, "a library says: SYNTHETIC init_client"),
        samples.client(109, "FUNC 7 result_retrieved"),
        samples.client(110, f"FUNCBIND 7 {samples.OTHERS}"),
    ]
    records = read(tmp_path, "client.log", *samples.CLIENT_LOG, *again)
    assert len(spans(records, "funcx.client")) == 2
    other = events(records, names.task(names.CLIENT, samples.OTHERS))
    assert other == [("submit", 101.0), ("retrieved", 109.0)]
    assert len(events(records, names.task(names.CLIENT, SEVEN))) == 6


def test_an_endpoint_s_restart_is_another_span(tmp_path: Path) -> None:
    again = [
        samples.endpoint(
            100, f"Initializing EndpointInterchange process with Endpoint ID: {ENDPOINT}"
        ),
        samples.endpoint(101, f"Storing result for later: {EIGHT}"),
        samples.endpoint(102, f"Retrieved stored result ({EIGHT})", "DEBUG"),
        samples.endpoint(103, f"Failed to process task {SEVEN}", "ERROR"),
        samples.endpoint(104, "EndpointInterchange shutdown complete."),
    ]
    records = read(tmp_path, "endpoint.log", *samples.ENDPOINT_LOG, *again)
    first, second = spans(records, "funcx.endpoint")
    assert first.uuid != second.uuid
    assert json.loads(first.attributes or "") == {
        "funcx.endpoint.id": ENDPOINT, "process.pid": 22, "host.name": "amber",
        "parsl.version": "1.1.0", "funcx.endpoint.version": "0.4.0a2",
    }  # fmt: skip
    assert events(records, second.uuid) == [("started", 100.0), ("exiting", 104.0)]
    assert events(records, names.task(names.ENDPOINT, EIGHT)) == [
        ("interchange.received", 3.2), ("interchange.sent", 3.5), ("endpoint.forwarded", 8.4),
        ("endpoint.stored", 101.0), ("endpoint.forwarded", 102.0),
    ]  # fmt: skip
    assert events(records, names.task(names.ENDPOINT, SEVEN))[-2:] == [
        ("endpoint.failed", 103.0), ("error", 103.0),
    ]  # fmt: skip
    assert problems(records) == []


TODAY = (
    "2022-08-03 11:26:37,000123 DEBUG MainProcess-21217 Thread-2 (feed)-140352232769216 "
    "globus_compute_endpoint.endpoint.rabbit_mq.task_queue_subscriber:329 _on_message "
    "<TaskQueueSubscriber(TQS, started daemon 140351788533440)> Received message from 1: "
    f"""None, b'\\x01{{"message_type":"task","data":{{"task_id":"{SEVEN}",'"""
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            samples.interchange(3, f"[TASK_PULL_THREAD] Received task:{SEVEN}"),
            "interchange.received",
        ),
        (samples.endpoint(3, f"Received task: {SEVEN}"), "endpoint.received"),
        (samples.endpoint(3, f"Forwarding result for task {SEVEN}", "DEBUG"), "endpoint.forwarded"),
        (
            TODAY,
            "endpoint.received",
        ),
    ],
    ids=["2021", "2022", "2023", "2026"],
)
def test_an_endpoint_s_words_of_each_era(tmp_path: Path, line: str, expected: str) -> None:
    records = read(tmp_path, "endpoint.log", samples.ENDPOINT_LOG[0], line)
    (found,) = (r for r in records if isinstance(r, Event) and r.type != "started")
    assert (found.span_uuid, found.type) == (names.task(names.ENDPOINT, SEVEN), expected)


def test_who_speaks_is_no_part_of_what_is_said(tmp_path: Path) -> None:
    logger = "endpoint.rabbit_mq.result_publisher"
    lines = [
        samples.ENDPOINT_LOG[0],
        samples.own(3, logger, "ResultPublisher<✓; o:0; t:12> Ready to send results to: r"),
        samples.own(4, logger, "Unable to <deliver> result", "ERROR"),
    ]
    records = read(tmp_path, "endpoint.log", *lines)
    assert tally(records).messages == {"Ready to send results to: r": (1, True)}
    (error,) = (r for r in records if isinstance(r, Event) and r.type == "error")
    said = json.loads(error.attributes or "")
    assert said == {"exception.message": "Unable to <deliver> result"}


def test_a_worker_s_task_that_raised_has_its_exception(tmp_path: Path) -> None:
    records = read(tmp_path, "funcx_worker_3.log", *samples.WORKER_LOG)
    eight = names.task(names.WORKER, EIGHT)
    assert [type_ for type_, _ in events(records, eight)] == [
        "worker.received", "worker.executing", "exception", "worker.completed", "worker.sending",
    ]  # fmt: skip
    (raised,) = (r for r in records if isinstance(r, Event) and r.type == "exception")
    assert json.loads(raised.attributes or "") == {
        "exception.type": "ValueError",
        "exception.message": "no good",
        "exception.stacktrace": samples.TRACEBACK,
    }
    failed = [span for span in spans(records, "funcx.worker.task") if span.status_code == 2]
    assert [(span.uuid, span.status_message) for span in failed] == [(eight, "ValueError: no good")]
    (worker,) = spans(records, "funcx.worker")
    assert worker.parent_uuid == names.manager(names.MANAGER, MANAGER)
    assert problems(records) == []
    assert tally(records).messages == {"Waiting for task": (1, True)}


def test_a_manager_tells_what_it_got_and_gave(tmp_path: Path) -> None:
    records = read(tmp_path, "manager.log", *samples.MANAGER_LOG)
    assert events(records, names.task(names.MANAGER, EIGHT)) == [
        ("manager.received", 4.0), ("manager.sent", 6.8),
    ]  # fmt: skip
    (manager,) = spans(records, "funcx.manager")
    assert manager.uuid == names.manager(names.MANAGER, MANAGER)
    assert json.loads(manager.attributes or "") == {
        "parsl.manager.id": MANAGER, "parsl.block.id": "3", "host.name": "amber",
    }  # fmt: skip


def test_a_worker_out_of_its_directory_stands_alone(tmp_path: Path) -> None:
    records = read(tmp_path, "funcx_worker_3.log", *samples.WORKER_LOG, context=Context())
    assert [kind for kind, _ in problems(records)] == ["manager unknown"]
    assert len(events(records, names.task(names.WORKER, SEVEN))) == 5


# By what they are known


def test_they_are_known_by_what_is_in_them(tmp_path: Path) -> None:
    place = samples.write(tmp_path / "logs")
    expected = {
        "client.log": "funcx client log",
        "endpoint.log": "funcx endpoint.log",
        "manager.log": "funcx manager.log",
        "funcx_worker_3.log": "funcx worker log",
        "cloud.json": "cloudwatch",
    }
    choice = Choice()
    for path in (path for path in place.rglob("*") if path.is_file()):
        for name in (path.name, "renamed"):
            moved = path.rename(path.with_name(name))
            importer = choice.of(moved)
            assert importer is not None
            assert importer.name == expected[path.name]
            moved.rename(path)
    # What a worker printed may be a copy of its log.
    printed = tmp_path / "funcx_worker_3.stderr"
    printed.write_text("\n".join(samples.WORKER_LOG))
    assert choice.of(printed) is None


# Truncated, empty, foreign, hostile


@pytest.mark.parametrize("name", LOGS)
def test_an_empty_log_is_no_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    records = list(LOGS[name][0](tmp_path / name, PLACE))
    assert [r for r in records if not isinstance(r, Tally)] == []
    assert tally(records).records == 0


@pytest.mark.parametrize("name", LOGS)
def test_a_log_may_end_anywhere(tmp_path: Path, name: str) -> None:
    """Whatever is whole is read, and half a line is told of."""
    importer, lines = LOGS[name]
    text = "\n".join(lines) + "\n"
    path = tmp_path / name
    path.write_text(text)
    whole = [r for r in importer(path, PLACE) if isinstance(r, Event)]
    for size in range(0, len(text), 97):
        path.write_text(text[:size])
        records = list(importer(path, PLACE))
        kinds = {kind for kind, _ in problems(records)}
        assert ("torn record" in kinds) == (size > 0 and text[size - 1] != "\n")
        # of a client's task whose UUID is cut off, the number is left
        told = {(r.time_unix_nano, r.line) for r in records if isinstance(r, Event)}
        assert told <= {(r.time_unix_nano, r.line) for r in whole}


@pytest.mark.parametrize("name", LOGS)
def test_hostile_lines_are_counted(tmp_path: Path, name: str) -> None:
    importer, lines = LOGS[name]
    head = lines[-1].rpartition(" ")[0]
    hostile = [
        "\0" * 50,
        "\0" * 7 + lines[1],
        "9" * 5000 + " x",
        "x" * (LINE_LIMIT + 10),
        head + " FUNC " + "9" * 5000 + " submit",
        head + " Received task: not-a-uuid",
        "1659518794.0 2022-99-99 99:99:99 INFO a-1 b-2 funcx_endpoint.x:1 f m",
        "2022-99-99 99:99:99,1 INFO a-1 b-2 funcx_endpoint.endpoint.x:1 f Received task: " + SEVEN,
        "\ufeff\u2028\x1b[31m",
    ]
    path = tmp_path / name
    path.write_text("\n".join([*lines[:2], *hostile, *lines[2:]]) + "\n")
    records = list(importer(path, PLACE))
    kinds = {kind for kind, _ in problems(records)}
    assert {"long line", "binary junk"} <= kinds
    assert max(len(text) for _, text in problems(records)) < LINE_LIMIT
    path.write_text("\n".join(lines) + "\n")
    clean = list(importer(path, PLACE))
    kept = {(r.span_uuid, r.type) for r in records if isinstance(r, Event)}
    assert {(r.span_uuid, r.type) for r in clean if isinstance(r, Event)} <= kept


@pytest.mark.parametrize("name", [name for name in LOGS if name != "client.log"])
def test_words_that_are_not_known_are_a_warning(tmp_path: Path, name: str) -> None:
    """Of a client's log they are none: what an application logs besides is its own affair."""
    lines = LOGS[name][1]
    head = lines[0].split(" start ")[0].replace(":91", ":99")
    more = [f"{head} start Wholly new words {n % 7}" for n in range(50)]
    records = read(tmp_path, name, *lines, *more)
    assert "wording not known" in {kind for kind, _ in problems(records)}
    assert tally(records).messages["Wholly new words N"] == (50, False)


# audit.log

NINE = samples.NINE
UEP = f"uid=1000 pid=31077 uep={ENDPOINT}"
AUDIT = (
    "2026-11-23T09:56:33.776796-06:00 uid=1000 pid=31076 "
    f"eid={ENDPOINT} Begin CEP session =====\n"
    f"2026-11-23T09:56:37.227933-06:00 {UEP} fid={NINE} tid={SEVEN} bid= RECEIVEDfid={NINE} "
    f"tid={SEVEN} bid= EXEC_STARTfid= tid={EIGHT} bid=0 jid=77.pbs RUNNING\n"
    f"2026-11-23T09:56:50.726075-06:00 {UEP} fid={NINE} tid={EIGHT} bid= "
    "FAILED - Function not permitted on endpoint\n"
    "what is this\n"
    f"2026-11-23T09:56:51.726075-06:00 {UEP} fid={NINE} tid={EIGHT} bid= EXEC_END rubbish\n"
    "cut o"
)


def test_an_audit_log_holds_several_records_a_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(AUDIT)
    records = list(globus_compute_audit(path, Context()))
    found = [(r.span_uuid[-14:], r.type, r.line, r.note) for r in records if isinstance(r, Event)]
    seven, eight = (names.task(names.AUDIT, task)[-14:] for task in (SEVEN, EIGHT))
    assert found[:4] == [
        (seven, "RECEIVED", 2, None),
        (seven, "EXEC_START", 2, None),
        (eight, "RUNNING", 2, None),
        (eight, "FAILED", 3, "Function not permitted on endpoint"),
    ]
    (event, *_) = (r for r in records if isinstance(r, Event))
    assert event.time_unix_nano == 1795449397227933000
    assert problems(records) == [
        ("record not understood", "what is this"),
        (
            "record not understood",
            "fid=N-NfNd-NcNb-NbN-N tid=N-Nc-NfNd-Naf-N bid= EXEC_END rubbish",
        ),
        ("torn record", "no end of line: cut o"),
    ]
    (*_, last) = spans(records, "funcx.audit.task")
    assert (last.status_code, json.loads(last.attributes or "")["funcx.endpoint.id"]) == (
        2, ENDPOINT,
    )  # fmt: skip
