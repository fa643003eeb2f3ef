"""A session of a receiver is a source like any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dnpcsql import Span, Store
from dnpcsql.identity import MONITORING, Names
from dnpcsql.receivers import Receiver
from dnpcsql.writer import KEPT_PROBLEMS
from tests.importers.test_bad_traces import a_document, a_span
from tests.receivers.conftest import Start
from tests.receivers.test_http import post
from tests.test_foreign_ties import RUN, attributes, ties

ONE, TWO, THREE = (a_document(a_span(number)).encode() for number in (1, 2, 3))


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with Store(path) as store:
        return list(store.query(sql).all())


def taken(receiver: Receiver, *documents: bytes) -> Path:
    for document in documents:
        assert post(receiver, document)[0] == 200
    receiver.stop()
    return receiver._store.path


def test_every_span_and_event_knows_its_session_and_its_place_there(start: Start) -> None:
    receiver = start()
    event = {"name": "e", "timeUnixNano": "5"}
    both = a_document(a_span(1, events=[event]), a_span(2, events=[event, event])).encode()
    path = taken(receiver, both, THREE)
    assert receiver.session.startswith("otlp://received/20")
    sql = "SELECT span.name, path, line, importer FROM span JOIN source ON source.id = source_id"
    assert rows(path, sql) == [
        ("it", receiver.session, line, "otlp receiver") for line in (1, 2, 3)
    ]
    assert rows(path, "SELECT line FROM event ORDER BY line") == [(1,), (2,), (3,)]
    assert rows(path, "SELECT lines, records, understood, problems, runs FROM source") == [
        (3, 3, 3, 0, '["eb211c80319c"]')
    ]


def test_nothing_received_leaves_nothing(start: Start) -> None:
    assert rows(taken(start()), "SELECT * FROM source") == []


def test_a_span_sent_again_is_one_also_in_a_later_session(start: Start) -> None:
    first = start()
    path = taken(first, ONE, TWO, ONE)
    second = start()
    taken(second, TWO, THREE)
    sql = "SELECT span_id, path FROM span JOIN source ON source.id = source_id ORDER BY span_id"
    assert rows(path, sql) == [
        (f"{1:016x}", first.session),
        (f"{2:016x}", first.session),
        (f"{3:016x}", second.session),
    ]
    assert (first.received.again, second.received.again) == (1, 1)


def test_other_words_of_the_same_ids_are_kept_beside(start: Start) -> None:
    receiver = start()
    other = a_document(a_span(1, name="other")).encode()
    path = taken(receiver, ONE, other, other, ONE)
    assert sorted(rows(path, "SELECT name, span_id FROM span")) == [
        ("it", f"{1:016x}"), ("other", f"{1:016x}"),
    ]  # fmt: skip
    assert rows(path, "SELECT kind, sum(count) FROM problem GROUP BY 1") == [("ids told twice", 2)]
    assert receiver.received.again == 2


@pytest.mark.parametrize("first", ["file", "received"])
def test_what_a_file_tells_too_stays_when_the_file_goes(
    start: Start, tmp_path: Path, first: str
) -> None:
    file = tmp_path / "traces.json"
    file.write_bytes(a_document(a_span(1), a_span(2)).encode())
    with Store(tmp_path / "dnpc.sqlite3") as store:
        if first == "file":
            store.import_(file)
            store.close()
        receiver = start()
        taken(receiver, ONE)
        store.import_(file)
        assert len(rows(store.path, "SELECT * FROM span")) == 2
        store.forget(str(file))
        sql = "SELECT path FROM span JOIN source ON source.id = source_id"
        assert rows(store.path, sql) == [(receiver.session,)]
        store.import_(file)
        store.forget(receiver.session)
        assert len(rows(store.path, "SELECT * FROM span")) == 1
        store.import_(file)
        assert len(rows(store.path, "SELECT * FROM span")) == 2


def test_it_can_be_forgotten_while_it_is_told(start: Start, tmp_path: Path) -> None:
    receiver = start()
    assert post(receiver, ONE)[0] == 200
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.forget(receiver.session.rpartition("/")[2])
    path = taken(receiver, TWO)
    assert rows(path, "SELECT span_id, line FROM span") == [(f"{2:016x}", 2)]
    assert rows(path, "SELECT path FROM source") == [(receiver.session,)]


def test_a_span_with_ids_of_parsls_is_tied_to_the_task(start: Start, tmp_path: Path) -> None:
    names = Names(RUN, MONITORING)
    tied = a_document(a_span(1, attributes=attributes(run_id=RUN, task_id=7))).encode()
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.add([Span(names.task(7), "parsl.monitoring.task", names.trace_high)])
        store.close()
        taken(start(), tied)
        assert ties(store) == {names.task(7)}


def test_and_also_to_a_task_that_is_imported_while_it_serves(start: Start, tmp_path: Path) -> None:
    names = Names(RUN, MONITORING)
    receiver = start()
    document = json.loads(a_document(a_span(1, attributes=attributes(run_id=RUN, task_id=7))))
    assert post(receiver, json.dumps(document).encode())[0] == 200
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.add([Span(names.task(7), "parsl.monitoring.task", names.trace_high)])
        assert ties(store) == {names.task(7)}
    taken(receiver)


def test_problems_of_a_long_session_are_counted_and_do_not_fill_the_file(start: Start) -> None:
    receiver = start()
    odd = [a_span(number, kind="SPAN_KIND_SERVER") for number in range(1, KEPT_PROBLEMS)]
    path = taken(receiver, *(a_document(*odd).encode() for _ in range(3)))
    sql = "SELECT count(*), sum(count) FROM problem WHERE kind = 'enum by name'"
    ((kept, counted),) = rows(path, sql)
    assert counted == 3 * len(odd)
    assert kept == KEPT_PROBLEMS + 1
    assert rows(path, "SELECT problems FROM source") == [(3 * len(odd),)]
