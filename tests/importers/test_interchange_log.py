from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.clock import fixed, naive_ns
from dnpcsql.identity import INTERCHANGE, PARSL_LOG, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.interchange_log import interchange_log
from dnpcsql.records import Containment, Event, Problem, Record, Span, Tally

RUN = "71d4a751-6867-449f-b893-6b653903b644"
HTEX = Context(run_id=RUN, label="htex")
NAMES, PARSL = Names(RUN, INTERCHANGE), Names(RUN, PARSL_LOG)
EPOCH = 1795331212
REGISTERED = (
    "Registration info for manager b'91365d3eae4d': {'type': 'registration', 'parsl_v': "
    "'2026.10.26', 'python_v': '3.11.7', 'packages': {'uid': '1', 'worker_count': '9'}, "
    "'worker_count': 2, 'uid': '91365d3eae4d', 'block_id': '0', 'start_time': 1795331213.7986217, "
    "'drain_time': inf, 'prefetch_capacity': 0, 'max_capacity': 2, 'os': 'Linux', 'hostname': "
    "'node-1', 'dir': '/tmp/run', 'cpu_count': 4, 'total_memory': 25276502016}"
)
LOAD = (
    "Sending message {{'block_id': '0', 'start_time': 1795337236.4989173, 'tasks': {tasks}, "
    "'worker_count': 2, 'max_capacity': 2, 'active': {active}, 'draining': False, 'drain_time': "
    "inf, 'packages': {{'urllib3': '2.8.0'}}, 'uid': '91365d3eae4d', 'hostname': 'login-1'}} "
    "to MonitoringHub"
)


def a(message: str, second: float = 0.0, level: str = "DEBUG") -> str:
    """Shape A: since 2026-01."""
    return (
        f"{EPOCH + second:.6f} 2026-11-22 07:06:52 MainProcess-16718 MainThread-140530200238976 "
        f"parsl.executors.high_throughput.interchange:348 process_task_incoming {level}: {message}"
    )


def b(message: str, time: str = "06:48.129") -> str:
    """Shape B: 2022-08 to 2026-01."""
    return (
        f"2026-11-22 07:{time} interchange:478 HTEX-Interchange(16636) MainThread "
        f"process_tasks_to_send [DEBUG]  {message}"
    )


def d(message: str, time: str = "14:20.434") -> str:
    """Shape D: 1.2.0."""
    return f"2021-12-01 07:{time} interchange:482 [DEBUG]  {message}"


def read(tmp_path: Path, *lines: str, context: Context = HTEX) -> list[Record]:
    path = tmp_path / "interchange.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(interchange_log(path, context))


def events(records: list[Record]) -> list[tuple[str, str, str | None]]:
    """What happened to what (the span's last digits), and how it is known."""
    return [
        (record.span_uuid[-8:], record.type, record.note)
        for record in records
        if isinstance(record, Event) and record.span_uuid[13] == "8"
    ]


def problems(records: list[Record]) -> list[str]:
    """But for what such short logs lack."""
    found = [record for record in records if isinstance(record, Problem)]
    return [problem.kind for problem in found if problem.kind != "message missing"]


def of_span(records: list[Record], uuid: str) -> list[Span]:
    return [record for record in records if isinstance(record, Span) and record.uuid == uuid]


def attributes(records: list[Record], uuid: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for span in of_span(records, uuid):
        told |= json.loads(span.attributes or "{}")
    return told


SENT = "Sent tasks: [1, 2] to manager b'91365d3eae4d'"
THERE_AND_BACK = [
    ("00000001", "interchange_to_manager", None),
    ("00000002", "interchange_to_manager", None),
    ("00000001", "interchange_removing_task", None),
]


@pytest.mark.parametrize(
    ("lines", "received"),
    [
        (
            [
                a("Put task 1 onto pending_task_queue"),
                a("Put task 2 onto pending_task_queue", 0.1),
                a(SENT, 0.2),
                a("Removing task 1 from manager", 0.3),
            ],
            None,
        ),
        (
            [
                b("Fetched 1 tasks so far"),
                b("Fetched 2 tasks so far"),
                b(SENT),
                b("Removing task 1 from manager record b'91365d3eae4d'"),
            ],
            "inferred: the Nth that was fetched",
        ),
        (
            [
                d("[TASK_PULL_THREAD] Fetched task:1"),
                d("[TASK_PULL_THREAD] Fetched task:2"),
                d(f"[MAIN] {SENT}"),
            ],
            "inferred: the Nth that was fetched",
        ),
    ],
    ids=["2026", "2023", "1.2.0"],
)
def test_a_task_passes_in_the_words_of_each_era(
    tmp_path: Path, lines: list[str], received: str | None
) -> None:
    records = read(tmp_path, *lines)
    came = [(number, "interchange_received_task", received) for number in ("00000001", "00000002")]
    assert events(records) == came + THERE_AND_BACK[: len(lines) - 1]
    spans = [record for record in records if isinstance(record, Span)]
    tasks = [span for span in spans if span.type == "parsl.executor.htex.interchange.task"]
    assert [span.uuid for span in tasks] == [NAMES.executor_task("htex", n) for n in (1, 2)]
    assert [span.parent_uuid for span in tasks] == [PARSL.executor_task("htex", n) for n in (1, 2)]
    assert Containment(NAMES.manager("91365d3eae4d"), tasks[1].uuid) in records
    assert problems(records) == (["no zone"] if "interchange:" in lines[0][:40] else [])


def test_times_are_exact_and_zoneless_ones_go_by_the_clock_of_the_run(tmp_path: Path) -> None:
    (event,) = (r for r in read(tmp_path, a("Put task 1 onto pending_task_queue", 0.938468))
                if isinstance(r, Event))  # fmt: skip
    assert event.time_unix_nano == EPOCH * 10**9 + 938468000
    berlin = Context(run_id=RUN, label="htex", clock=fixed(3600 * 10**9, "told"))
    (event,) = (r for r in read(tmp_path, b("Fetched 1 tasks so far"), context=berlin)
                if isinstance(r, Event))  # fmt: skip
    assert event.time_unix_nano == naive_ns("2026-11-22 06:06:48.129")


def test_a_registration_tells_of_a_manager_and_ties_it_to_its_block(tmp_path: Path) -> None:
    records = read(tmp_path, a(REGISTERED, level="INFO"))
    uuid = NAMES.manager("91365d3eae4d")
    (manager,) = of_span(records, uuid)
    assert manager.type == "parsl.executor.htex.interchange.manager"
    assert manager.parent_uuid == PARSL.block("htex", "0")
    assert attributes(records, uuid) == {
        "parsl.manager.id": "91365d3eae4d",
        "parsl.block.id": "0",
        "host.name": "node-1",
        "parsl.manager.worker_count": 2,
        "parsl.manager.max_capacity": 2,
        "parsl.manager.prefetch_capacity": 0,
        "parsl.manager.cpu_count": 4,
        "parsl.manager.total_memory": 25276502016,
        "process.runtime.version": "3.11.7",
        "parsl.version": "2026.10.26",
        "os.type": "Linux",
        "parsl.executor.label": "htex",
        "parsl.manager.start_unix_nano": 1795331213798621700,
    }
    assert [r.type for r in records if isinstance(r, Event)] == ["registered"]


def test_a_lost_manager_takes_its_tasks_with_it(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a(REGISTERED),
        a("Put task 13 onto pending_task_queue", 1),
        a("Sent tasks: [13] to manager b'91365d3eae4d'", 2),
        a("Received HOLD_MANAGER for b'91365d3eae4d'", 3),
        a("Too many heartbeats missed for manager b'91365d3eae4d' - removing manager", 60, "WARN"),
        a("Cancelling htex tasks [13] on removed manager", 60.1, "WARNING"),
    )
    manager = NAMES.manager("91365d3eae4d")
    happened = [r.type for r in records if isinstance(r, Event) and r.span_uuid == manager]
    assert happened == ["registered", "hold", "lost", "tasks_cancelled"]
    assert of_span(records, manager)[-1].status_code == 2
    assert events(records)[-1] == ("00000013", "interchange_cancelling_task", None)


def test_old_words_for_a_hold_and_a_loss(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        d("[CMD] Received HOLD_WORKER for b'0d98e4edca4f'"),
        d("[MAIN] Too many heartbeats missed for manager b'0d98e4edca4f'"),
    )
    assert [r.type for r in records if isinstance(r, Event)] == ["hold", "lost"]


def test_a_drained_manager_ends(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Manager b'91365d3eae4d' has reached its drain time - draining"),
        a("Manager b'91365d3eae4d' is drained - telling manager to shutdown"),
        b("Manager b'0d98e4edca4f' requested drain"),
        b("Manager b'0d98e4edca4f' is drained - sending drained message to manager"),
    )
    assert [r.type for r in records if isinstance(r, Event)] == ["draining", "drained"] * 2


def test_at_info_level_the_loads_tell_what_was_sent_and_came_back(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a(LOAD.format(tasks="[]", active=True), 0),
        a(LOAD.format(tasks="[1, 2]", active=True), 1),
        a(LOAD.format(tasks="[2]", active=True), 2),
        a(LOAD.format(tasks="[]", active=False), 3),
    )
    by_load = "from what was sent to the MonitoringHub"
    assert events(records) == [
        ("00000001", "interchange_to_manager", by_load),
        ("00000002", "interchange_to_manager", by_load),
        ("00000001", "interchange_removing_task", by_load),
        ("00000002", "interchange_removing_task", by_load),
    ]
    assert len([r for r in records if isinstance(r, Span) and r.type.endswith(".task")]) == 2


def test_what_is_logged_of_a_task_itself_is_better_than_its_manager_s_load(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Put task 1 onto pending_task_queue", 0),
        a("Sent tasks: [1] to manager b'91365d3eae4d'", 1),
        a(LOAD.format(tasks="[1]", active=True), 1.001),
        a("Removing task 1 from manager", 2),
        a(LOAD.format(tasks="[]", active=True), 2.001),
    )
    assert [note for _, _, note in events(records)] == [None, None, None]


def test_what_a_held_manager_still_has_says_nothing_of_when_it_was_sent(tmp_path: Path) -> None:
    # To 2025-03 a manager's load was told only when it came and when it was held.
    assert events(read(tmp_path, a(LOAD.format(tasks="[7]", active=False)))) == []


def test_a_log_without_its_beginning_still_has_a_span_for_each_event(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Removing task 5 from manager"),
        a("Sent tasks: [6] to manager b'91365d3eae4d'"),
        a("Put task 900 onto pending_task_queue"),
        a("Removing task 6 from manager"),
    )
    told = {r.uuid for r in records if isinstance(r, Span)}
    assert {r.span_uuid for r in records if isinstance(r, Event)} <= told


def test_the_interchange_lasts_from_its_first_record_to_its_last(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Initializing Interchange process", 0),
        a("Platform info: {'parsl_v': '2026.10.26', 'os': 'Linux', 'hostname': 'vm'}", 1, "INFO"),
        a("Starting main interchange method", 2, "INFO"),
        a("Managers count (interesting/total): 0/0", 9),
    )
    (span,) = of_span(records, NAMES.executor("htex"))
    assert (span.start_unix_nano, span.end_unix_nano) == (EPOCH * 10**9, (EPOCH + 9) * 10**9)
    assert span.parent_uuid == PARSL.executor("htex")
    assert attributes(records, span.uuid)["host.name"] == "vm"


def test_each_start_in_one_log_is_a_run_of_its_own_where_none_is_named(tmp_path: Path) -> None:
    context = Context(label="htex", scopes=("scope first", "scope second"), tied=True)
    records = read(
        tmp_path,
        a("Starting main interchange method", 0, "INFO"),
        a("Put task 1 onto pending_task_queue", 1),
        a("Starting main interchange method", 50, "INFO"),
        a("Put task 1 onto pending_task_queue", 51),
        context=context,
    )
    tasks = [r.span_uuid for r in records if isinstance(r, Event) and r.span_uuid[13] == "8"]
    scopes = [Names(scope, INTERCHANGE) for scope in context.scopes]
    assert tasks == [names.executor_task("htex", 1) for names in scopes]
    assert problems(records) == []


def test_a_log_torn_from_its_tree_says_so(tmp_path: Path) -> None:
    assert problems(read(tmp_path, a("Exiting"), context=Context())) == ["run unknown"]


def test_numbers_that_none_can_have_are_problems(tmp_path: Path) -> None:
    records = read(tmp_path, a(f"Put task {'9' * 5000} onto pending_task_queue"))
    assert problems(records) == ["record not understood"]


def test_what_is_not_used_is_counted_and_known(tmp_path: Path) -> None:
    (tally,) = (
        record
        for record in read(
            tmp_path,
            a("Starting main interchange method"),
            a("Managers count (interesting/total): 0/0"),
            a("Managers count (interesting/total): 1/1"),
        )
        if isinstance(record, Tally)
    )
    assert (tally.lines, tally.records, tally.understood) == (3, 3, 1)
    assert tally.messages == {"Managers count (interesting/total): N/N": (2, True)}


def test_new_words_are_a_warning(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Starting main interchange method"),
        a("Queued task 1"),
        a("Dispatched task 1 to manager 91365d3eae4d"),
        a("Removing task 1 from manager"),
    )
    found = {r.kind: r.text for r in records if isinstance(r, Problem)}
    assert "no `sent` before `removed`" in found["message missing"]
    records = read(
        tmp_path,
        a("Starting main interchange method"),
        *[a(f"Dispatched task {number}") for number in range(3)],
    )
    assert problems(records) == ["wording not known"]
