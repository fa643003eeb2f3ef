"""The published run of 2023, asked as the old tool's users asked: their SQL runs unchanged."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.store import Store
from tests.conftest import corpus

# As it stands in the old tool's `twoevents.py` and in its users' notebooks, to the letter.
DESCENDANTS = (
    'with recursive descs(root_span_uuid, span_uuid) as (select span.uuid, span.uuid from span '
    'where span.type="parsl.monitoring.task" union select descs.root_span_uuid, '
    'subspan.subspan_uuid from subspan, descs where subspan.superspan_uuid = descs.span_uuid '
    'union select descs.root_span_uuid, facet.right_uuid from facet, descs where facet.left_uuid '
    '= descs.span_uuid union select descs.root_span_uuid, facet.left_uuid from facet, descs where '
    'facet.right_uuid = descs.span_uuid) select descs.root_span_uuid, event.time, span.type, '
    'event.type, event.uuid from descs, span, event where span.uuid = descs.span_uuid and '
    'event.span_uuid = span.uuid order by root_span_uuid, event.time;'
)  # fmt: skip

NANOSECONDS_20 = 20e-9


@pytest.fixture
def fixture(tmp_path: Path) -> tuple[Store, dict[str, Any]]:
    folder = corpus("parsl-2023-upstream-fixture")
    store = Store(tmp_path / "dnpc.sqlite3")
    store.import_(folder / "runinfo", timezone=["UTC"])
    return store, json.loads((folder / "expected.json").read_text())


def test_the_old_tools_recursive_query_runs_unchanged(
    fixture: tuple[Store, dict[str, Any]],
) -> None:
    store, known = fixture
    told: dict[str, list[tuple[str, int]]] = defaultdict(list)
    exact: dict[str, int] = dict(store.query("SELECT uuid, time_unix_nano FROM event").all())
    seen = set()
    for root, time, span_type, event_type, event_uuid in store.query(DESCENDANTS):
        kind = re.sub(r".*\.", "", span_type)
        told[root].append((f"{kind}/{event_type}", exact[event_uuid]))
        assert time == pytest.approx(exact[event_uuid] / 1e9, abs=1e-6)
        seen.add((root, event_uuid))
    assert len(told) == known["tasks"] == 50
    assert len(seen) == sum(len(events) for events in told.values())
    for events in told.values():
        assert [name for name, _ in events] == known["all_tasks_same_event_sequence"]
    means = [
        sum(events[step][1] - events[0][1] for events in told.values()) / len(told) / 1e9
        for step in range(len(known["mean_cumulative_s"]))
    ]
    assert means == pytest.approx(known["mean_cumulative_s"], abs=NANOSECONDS_20)
    store.close()


def test_our_own_report_of_orders_says_the_same(fixture: tuple[Store, dict[str, Any]]) -> None:
    store, known = fixture
    (variant,) = store.sequences("parsl.monitoring.task")
    assert (variant.count, len(variant.steps)) == (known["tasks"], len(known["mean_cumulative_s"]))
    store.close()


@pytest.mark.parametrize(
    "sql",
    [
        """select end.time - start.time from event start, event end where start.span_uuid =
        end.span_uuid and start.type = 'running' and end.type = 'running_ended'""",
        """select count(*) from span, event, subspan where event.span_uuid = span.uuid and
        subspan.subspan_uuid = span.uuid and span.type = 'parsl.monitoring.try'""",
        "select uuid, type, note from span",
        "select superspan_uuid, subspan_uuid, key from subspan",
        "select left_uuid, right_uuid, note from facet",
    ],
)
def test_other_queries_of_those_days_run_too(
    sql: str, fixture: tuple[Store, dict[str, Any]]
) -> None:
    store, _ = fixture
    rows = store.query(sql).all()
    assert rows or "facet" in sql
    store.close()
