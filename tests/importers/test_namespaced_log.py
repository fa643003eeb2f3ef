"""JSON logs whose fields have namespaces.

The records are as Academy's JSONHandler writes them: every attribute of a logging record as text.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from dnpcsql.identity import ENTITY, NAMED, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.namespaced_log import namespaced_log, recognises
from dnpcsql.records import Event, Link, Problem, Record, Span, Tally
from dnpcsql.store import Store

RUN = "71d4a751-6867-449f-b893-6b653903b644"
TAG = "7c30a1de-94f2-4c0b-8b5f-3a1f0f3f9a11"
AGENT = "AgentId<worker@1b2c3d4e>"
ACTION = {
    "academy.action": "echo",
    "academy.action_tag": TAG,
    "academy.agent_id": AGENT,
}


def record(message: str, *values: object, created: Any = "1795331245.9384077", **more: Any) -> str:
    """A line as the handler writes it."""
    logged = logging.LogRecord("academy.handle", 10, "h.py", 7, message, values, None)
    told = {"formatted": logged.getMessage(), **vars(logged), "created": created, **more}
    return json.dumps({name: str(value) for name, value in told.items()}) + "\n"


def start(**more: Any) -> str:
    message = "Invoking action %s with tag id %s"
    told: dict[str, Any] = {**ACTION, "academy.action_state": "start", **more}
    return record(message, "echo", TAG, **told)


def read(tmp_path: Path, text: str | bytes, context: Context | None = None) -> list[Record]:
    path = tmp_path / "1f2e.jsonlog"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return list(namespaced_log(path, context or Context()))


def problems(records: list[Record]) -> list[tuple[int | None, str]]:
    return [(one.line, one.kind) for one in records if isinstance(one, Problem)]


def test_what_a_record_names_are_spans_to_which_it_happened(tmp_path: Path) -> None:
    names = Names("academy", NAMED)
    action, agent = names.named("academy.action", TAG), names.named("academy.agent", AGENT)
    when = 1795331245_938407700
    note = f"Invoking action echo with tag id {TAG}"
    assert read(tmp_path, start()) == [
        Span(action, "academy.action", names.trace_high, name="echo", line=1,
             attributes=json.dumps({"academy.action_tag": TAG})),
        Event(action, when, "start", 1, note,
              json.dumps({"academy.agent_id": AGENT, "academy.action_state": "start"})),
        Span(agent, "academy.agent", names.trace_high, name="agent", line=1,
             attributes=json.dumps({"academy.agent_id": AGENT})),
        Event(agent, when, "Invoking action %s with tag id %s", 1, note,
              json.dumps({"academy.action": "echo", "academy.action_tag": TAG,
                          "academy.action_state": "start"})),
        Tally(1, 1, 1, {}, utc_offset_how="times are epochs"),
    ]  # fmt: skip


def test_records_that_name_nothing_are_counted_by_logger(tmp_path: Path) -> None:
    records = read(tmp_path, record("hello") + record("hi", name="asyncio") + start())
    (tally,) = [one for one in records if isinstance(one, Tally)]
    assert (tally.lines, tally.records, tally.understood) == (3, 3, 1)
    assert tally.messages == {
        "logger academy.handle: names nothing by a namespaced id": (1, True),
        "logger asyncio: names nothing by a namespaced id": (1, True),
    }


def test_anybodys_namespace_will_do(tmp_path: Path) -> None:
    line = record("stage %s", 3, **{"mytool.stage.id": 3, "mytool.stage": "fit", "mytool.n": 5})
    context = Context(run_id=RUN)
    span, event, _ = read(tmp_path, line, context)
    assert isinstance(span, Span)
    assert isinstance(event, Event)
    # its id says nothing outside of its run
    assert (span.uuid, span.type) == (Names(RUN, NAMED).named("mytool.stage", "3"), "mytool.stage")
    assert (span.name, event.type, event.attributes) == ("fit", "stage %s", '{"mytool.n": "5"}')
    assert problems(read(tmp_path, line)) == [(1, "run unknown")]


def test_what_happens_in_a_task_of_parsls_is_tied_to_it(tmp_path: Path) -> None:
    line = start(**{"parsl.dfk": RUN, "parsl.task": "7", "parsl.try": "1"})
    links = [one for one in read(tmp_path, line) if isinstance(one, Link)]
    thing = Names(RUN, ENTITY).attempt(7, 1)
    assert [(link.linked_uuid, link.type) for link in links] == [(thing, "parsl")] * 2


def test_warnings_say_so(tmp_path: Path) -> None:
    _, event, *_ = read(tmp_path, start(levelname="ERROR"))
    assert isinstance(event, Event)
    assert json.loads(event.attributes or "")["log.level"] == "ERROR"


def test_torn_foreign_and_hostile_lines_are_problems(tmp_path: Path) -> None:
    good = start()
    lines = [
        good, good[: len(good) // 2] + "\n", "\n", "[1]\n", '"x"\n', "{}\n", "[" * 9999 + "\n",
        start(created="yesterday"), start(created="9" * 5000), start(created="nan"),
        '{"formatted": 1, "created": "1", "name": "x"}\n', "\0\1\n",
        start(**{"academy.agent_id": "\ud800"}), good[:-1],
    ]  # fmt: skip
    records = read(tmp_path, "".join(lines))
    assert problems(records) == [
        *((line, "torn record") for line in (2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14)),
        (1, "run unknown"),  # an id without a part that no other program has
    ]
    assert sum(isinstance(one, Event) for one in records) == 4


def test_a_line_of_more_than_a_megabyte_is_cut_and_told_of(tmp_path: Path) -> None:
    records = read(tmp_path, start() + record("x" * (2 << 20)) + start())
    assert problems(records) == [(2, "torn record"), (2, "long line")]


def test_such_a_log_is_known_by_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert recognises(path, start().encode())
    assert recognises(path, (start() + "x" * 70_000).encode())
    assert not recognises(path, b"")
    assert not recognises(path, b"{}\n")
    assert not recognises(path, b'{"created": 1, "name": "x"}\n')
    assert not recognises(path, b"[1]\n")
    assert not recognises(path, b'{"torn\n')


def test_two_processes_tell_of_one_action(store: Store, tmp_path: Path) -> None:
    pool = tmp_path / "pool"
    pool.mkdir()
    (pool / "a.jsonlog").write_text(start())
    done = record("done", created="1795331246.5", **ACTION, **{"academy.action_state": "done"})
    (pool / "b.jsonlog").write_text(done)
    imported = store.import_(pool)
    assert [source.importer for source in imported.added] == ["json log", "json log"]
    assert store.query(
        "SELECT span.name, event.type FROM event JOIN span ON span.uuid = span_uuid "
        "WHERE span.type = 'academy.action' ORDER BY time_unix_nano"
    ).all() == [("echo", "start"), ("echo", "done")]
