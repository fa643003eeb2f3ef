"""A foreign trace that carries a Parsl run and task id is tied into the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dnpcsql import Span
from dnpcsql.identity import MONITORING, PARSL_LOG, Names
from dnpcsql.store import Store
from tests.importers.test_bad_traces import a_document, a_span

RUN = "71d4a751-6867-449f-b893-6b653903b644"
TRACE_ID = RUN.replace("-", "")
PARSL = {"monitoring": Names(RUN, MONITORING), "log": Names(RUN, PARSL_LOG)}
THING = Names(RUN, "0")


def attributes(**values: Any) -> list[dict[str, Any]]:
    return [
        {"key": f"parsl.{key.replace('_', '.')}", "value": {kind: value}}
        for key, value in values.items()
        for kind in ("intValue" if isinstance(value, int) else "stringValue",)
    ]


def accounts(store: Store) -> None:
    for name, names in PARSL.items():
        store.add(
            [
                Span(names.workflow(), "parsl.x.workflow", names.trace_high),
                Span(names.task(7), "parsl.x.task", names.trace_high),
                Span(names.attempt(7, 1), "parsl.x.try", names.trace_high),
            ],
            name,
        )


def ties(store: Store) -> set[str]:
    rows = store.query(
        "SELECT superspan_uuid FROM subspan WHERE key = 'parsl' AND source_id IS NULL AND note > ''"
    )
    return {uuid for (uuid,) in rows.all()}


CASES: dict[str, tuple[dict[str, Any], Any]] = {
    "run": ({"attributes": attributes(run_id=RUN)}, lambda names: names.workflow()),
    "task": (
        {"attributes": attributes(run_id=RUN, task_id=7)}, lambda names: names.task(7),
    ),
    "try, as text": (
        {"attributes": attributes(run_id=TRACE_ID.upper(), task_id="7", try_id="1")},
        lambda names: names.attempt(7, 1),
    ),
    "a parent in Parsl's own trace": (
        {"traceId": TRACE_ID, "parentSpanId": THING.attempt(7, 1)[12:]},
        lambda names: names.attempt(7, 1),
    ),
    "a traceparent": (
        {"attributes": [{"key": "traceparent", "value": {
            "stringValue": f"00-{TRACE_ID}-{THING.task(7)[12:]}-01"}}]},
        lambda names: names.task(7),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("first", ["foreign", "parsl"])
def test_foreign_spans_lie_in_what_they_name(
    tmp_path: Path, store: Store, case: str, first: str
) -> None:
    fields, thing = CASES[case]
    (tmp_path / "traces").write_text(a_document(a_span(5, **fields), a_span(6)))
    if first == "parsl":
        accounts(store)
    store.import_(tmp_path / "traces")
    if first == "foreign":
        assert ties(store) == set()
        accounts(store)
    assert ties(store) == {thing(names) for names in PARSL.values()}
    store.forget("log")
    assert ties(store) == {thing(PARSL["monitoring"])}
    store.forget(str(tmp_path / "traces"))
    assert ties(store) == set()
    assert store.query("SELECT count(*) FROM link").value() == 0


def test_the_resource_may_name_them(tmp_path: Path, store: Store) -> None:
    accounts(store)
    document = a_document(a_span(5)).replace(
        '"scopeSpans"',
        '"resource": {"attributes": [{"key": "parsl.run.id", "value": {"stringValue": "'
        + RUN
        + '"}}, {"key": "parsl.task.id", "value": {"intValue": 7}}]}, "scopeSpans"',
    )
    (tmp_path / "traces").write_text(document)
    store.import_(tmp_path / "traces")
    assert ties(store) == {names.task(7) for names in PARSL.values()}


@pytest.mark.parametrize("odd", ["no-uuid", "", "x" * 32, RUN + "0"])
def test_ids_that_are_none_tie_nothing(tmp_path: Path, store: Store, odd: str) -> None:
    accounts(store)
    span = a_span(5, attributes=attributes(run_id=odd, task_id=7))
    (tmp_path / "traces").write_text(a_document(span))
    store.import_(tmp_path / "traces")
    assert ties(store) == set()
    assert store.query("SELECT count(*) FROM link").value() == 0
