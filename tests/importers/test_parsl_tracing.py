"""parsl_tracing.pickle: read, and never unpickled.

No real one is at hand; these are pickled as Parsl's DESC branch did, from what it kept.
"""

from __future__ import annotations

import os
import pickle
import pickletools
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.errors import UnreadableError
from dnpcsql.identity import NAMED, PARSL_LOG, Names
from dnpcsql.importers import safe_pickle
from dnpcsql.importers.context import Context
from dnpcsql.importers.parsl_tracing import parsl_tracing, recognises
from dnpcsql.importers.safe_pickle import TornError, stream
from dnpcsql.records import Containment, Event, Facet, Problem, Record, Span, Tally
from dnpcsql.store import Store

RUN = "71d4a751-6867-449f-b893-6b653903b644"
EVENTS = [
    (1677075132.6, "START", "TASK", 7),
    (1677075132.700123, "LAUNCHED", "TRY", (7, 0)),
    (1677075133, "END", "TASK", 7),
]
BINDS = [("TASK", 7, "TRY", (7, 0))]
TRACING: dict[str, Any] = {"events": EVENTS, "binds": BINDS}
LISTS = frozenset({"events", "binds"})


class Hostile:
    """What would run a command if it were unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def read(path: Path, context: Context | None = None) -> list[Record]:
    return list(parsl_tracing(path, context or Context(run_id=RUN)))


def problems(records: list[Record]) -> list[tuple[int | None, str]]:
    return [(one.line, one.kind) for one in records if isinstance(one, Problem)]


def pickled(tmp_path: Path, what: Any, protocol: int | None = None) -> Path:
    path = tmp_path / "parsl_tracing.pickle"
    path.write_bytes(pickle.dumps(what, protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_events_and_binds_of_every_protocol(tmp_path: Path, protocol: int) -> None:
    names, parsl = Names(RUN, NAMED), Names(RUN, PARSL_LOG)
    run = names.named("parsl.tracing.workflow")
    task = names.named("parsl.tracing.TASK", "7")
    attempt = names.named("parsl.tracing.TRY", "7, 0")
    path = pickled(tmp_path, TRACING, protocol)
    assert recognises(path, path.read_bytes())
    high = names.trace_high
    start, end = 1677075132_600000000, 1677075133_000000000
    assert read(path) == [
        Span(task, "parsl.tracing.TASK", high, note="TASK 7", name="task", line=1),
        Containment(run, task),
        Facet(parsl.task(7), task, "same run and task"),
        Event(task, start, "START", 1),
        Span(attempt, "parsl.tracing.TRY", high, note="TRY 7, 0", name="try", line=2),
        Event(attempt, 1677075132_700123000, "LAUNCHED", 2),
        Event(task, end, "END", 3),
        Containment(task, attempt),
        Span(run, "parsl.tracing.workflow", high, name="workflow", line=1,
             start_unix_nano=start, end_unix_nano=end),
        Facet(parsl.workflow(), run, "in the directory of the run"),
        Tally(4, 4, 4, {}, utc_offset_how="times are epochs"),
    ]  # fmt: skip


def test_what_pickle_makes_of_the_same_is_the_same(tmp_path: Path) -> None:
    many = {
        "events": [(float(number), "E", "TASK", number % 7) for number in range(2500)],
        "binds": [("TASK", number, "TRY", (number, 0)) for number in range(2500)],
        "more": {"a": [1, (2, None), True, 2**70, "\u00e9", -1.5, ()], "b": {}},
    }
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        found: dict[str, Any] = {"events": [], "binds": []}
        for name, item in stream(pickled(tmp_path, many, protocol), LISTS):
            if name:
                found[name].append(item)
            else:
                found["more"] = item["more"]
        assert found == many


def test_a_pickle_that_calls_os_system_is_refused_and_nothing_runs(tmp_path: Path) -> None:
    proof = tmp_path / "it ran"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        hostile = {"events": [*EVENTS, (1.0, "E", "TASK", Hostile(f"touch '{proof}'"))]}
        path = pickled(tmp_path, hostile, protocol)
        with pytest.raises(UnreadableError, match=r"GLOBAL.*nothing that it names was run"):
            read(path)
        assert not proof.exists()
        pickle.loads(path.read_bytes())
        assert proof.exists()  # it would have
        proof.unlink()


@pytest.mark.parametrize(
    "code",
    [
        b"cposix\nsystem\n.",
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",
        b"(S'x'\nios\nsystem\n.",
        b"\x80\x02}\x81.",
        b"\x80\x02}}b.",
        b"\x80\x02\x82\x01.",
        b"Pid\n.",
        b"\x80\x02Q.",
        b"\x80\x05\x97.",
    ],
)
def test_every_instruction_that_names_calls_or_asks_is_refused(tmp_path: Path, code: bytes) -> None:
    path = tmp_path / "parsl_tracing.pickle"
    path.write_bytes(code)
    with pytest.raises(UnreadableError, match="more than plain values"):
        read(path)


def test_all_instructions_are_either_plain_or_refused() -> None:
    allowed = {
        operation.name for operation in pickletools.opcodes if not _is_refused(operation.name)
    }
    refused = {operation.name for operation in pickletools.opcodes} - allowed
    assert refused == {
        "GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "REDUCE", "BUILD", "NEWOBJ", "NEWOBJ_EX",
        "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER",
        "BYTEARRAY8",
    }  # fmt: skip


def _is_refused(name: str) -> bool:
    machine = safe_pickle._Machine(Path("p"), LISTS)
    machine._stack = [{}, [], safe_pickle._MARK]
    try:
        machine.step(name, 0, 0)
    except UnreadableError:
        return True
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        pass
    return False


def test_every_cut_is_a_problem_and_keeps_what_came_before(tmp_path: Path) -> None:
    whole = pickle.dumps({"events": [(float(n), "E", "T", n) for n in range(1500)], "binds": []})
    path = tmp_path / "parsl_tracing.pickle"
    events = []
    for length in range(0, len(whole), 1997):
        path.write_bytes(whole[:length])
        records = read(path)
        assert [kind for _, kind in problems(records)] == ["torn record"]
        events.append(sum(isinstance(record, Event) for record in records))
    assert events == sorted(events)
    assert events[-1] == 1000  # pickled by the thousand


@pytest.mark.parametrize(
    "what",
    [{}, [1, 2], "events", {"events": []}, {"binds": []}, 7],
)
def test_another_pickle_is_told_to_be_one(tmp_path: Path, what: Any) -> None:
    with pytest.raises(UnreadableError, match="not Parsl's tracing"):
        read(pickled(tmp_path, what))


def test_odd_items_are_counted_and_the_others_read(tmp_path: Path) -> None:
    deep: Any = ()
    for _ in range(50):
        deep = (deep, deep)
    events = [
        EVENTS[0], ("then", "E", "TASK", 1), (1.0, "E", "TASK"), 5, (float("nan"), "E", "TASK", 1),
        (-1.0, "E", "TASK", 1), (1e300, "E", "TASK", 1), (1.0, "", "TASK", 1), (1.0, "E", None, 1),
        (1.0, "E", "TASK", deep), (1.0, "E", "TASK", [1] * 100), (1.0, "E", "TASK", 10**5000),
        EVENTS[2],
    ]  # fmt: skip
    records = read(pickled(tmp_path, {"events": events, "binds": [(1, 2)]}))
    lines = [*range(2, 13), 14]
    kinds = ["event not understood"] * 11 + ["bind not understood"]
    assert problems(records) == list(zip(lines, kinds, strict=True))
    assert [event.type for event in records if isinstance(event, Event)] == ["START", "END"]


@pytest.mark.parametrize(
    "code",
    [
        b"\x8e" + b"\xff" * 8,  # a text of 2**64 - 1 bytes
        b"\x8e" + (2**40).to_bytes(8, "little"),
        b"T" + b"\xff\xff\xff\x7f",
        b"h\x07.", b"e.", b"u.", b"s.", b"a.", b"0.", b"\x85.", b"t.", b"\x94.", b".", b"\xff",
        b"I" + b"9" * 10000 + b"\n.", b"Fx\n.", b"(" * 100000, b"]" * 100000,
        b"}]K\x01s.", b"}K\x01K\x02a.",
    ],
)  # fmt: skip
def test_damage_is_one_problem(tmp_path: Path, code: bytes) -> None:
    path = tmp_path / "parsl_tracing.pickle"
    path.write_bytes(b"\x80\x04" + code)
    try:
        found = problems(read(path))
    except UnreadableError as error:
        assert "not Parsl's tracing" in str(error)  # noqa: PT017 - a plain value, only not ours
    else:
        assert found == [(0, "torn record")]


def test_a_tower_of_doubled_tuples_costs_nothing(tmp_path: Path) -> None:
    """Each holds the one before twice: 2**100 values, if anybody looked."""
    tower = b")" + b"".join(b"\x94h" + bytes([number]) + b"\x86" for number in range(100))
    path = tmp_path / "parsl_tracing.pickle"
    event = b"(G?\xf0\x00\x00\x00\x00\x00\x00\x8c\x01E\x8c\x04TASK" + tower + b"t"
    path.write_bytes(b"\x80\x04}(\x8c\x06events](" + event + b"e\x8c\x05binds]u.")
    began = time.process_time()
    records = read(path)
    assert time.process_time() - began < 5
    assert [kind for _, kind in problems(records)] == ["event not understood"]


def test_memory_does_not_grow_with_the_events(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        events = [(1e9 + number, "E", "TASK", number % 100) for number in range(count)]
        path = pickled(tmp_path, {"events": events, "binds": []}, 4)
        del events
        tracemalloc.start()
        try:
            for _ in stream(path, LISTS):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(30_000) < 2 * peak(3_000)


def test_too_much_to_remember_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_pickle, "KEPT_LIMIT", 100)
    with pytest.raises(UnreadableError, match="too large"):
        read(pickled(tmp_path, {"events": [], "binds": [], "more": list(range(200))}))


def test_a_stream_ends_with_what_was_pickled(tmp_path: Path) -> None:
    path = pickled(tmp_path, {"x": [1], "events": [1, 2]})
    *items, last = stream(path, LISTS)
    assert items == [("events", 1), ("events", 2)]
    assert last == ("", {"x": [1], "events": []})
    path.write_bytes(b"")
    with pytest.raises(TornError):
        list(stream(path, LISTS))


def test_a_pickle_in_a_runs_directory_is_of_that_run(store: Store, tmp_path: Path) -> None:
    run = tmp_path / "runinfo" / "000"
    run.mkdir(parents=True)
    (run / "parsl.log").write_text(
        "1677075132.600000 2023-02-22 14:12:12 MainProcess-1 MainThread-1 parsl.dataflow.dflow:1 "
        f"__init__ INFO: Run id is: {RUN}\n"
        "1677075132.600000 2023-02-22 14:12:12 MainProcess-1 MainThread-1 parsl.dataflow.dflow:2 "
        "submit INFO: Task 7 submitted for App work, not waiting on any dependency\n"
    )
    pickled(run, TRACING)
    store.import_(tmp_path / "runinfo")
    assert store.query(
        "SELECT logged.type, traced.type, traced.end_unix_nano FROM facet "
        "JOIN span AS logged ON logged.uuid = left_uuid "
        "JOIN span AS traced ON traced.uuid = right_uuid ORDER BY 1"
    ).all() == [
        ("parsl.rundir.task", "parsl.tracing.TASK", 1677075133_000000000),
        ("parsl.rundir.workflow", "parsl.tracing.workflow", 1677075133_000000000),
    ]
