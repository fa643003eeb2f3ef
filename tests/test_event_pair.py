"""From one event to another, against figures computed from the published run of 2023."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from dnpcsql import Containment, Event, Span
from dnpcsql.identity import NAMED, PARSL_LOG, WORKER_LOG, Names
from dnpcsql.store import Store
from tests.conftest import Case, corpus

RUN = "71d4a751-6867-449f-b893-6b653903b644"
HALF_A_MICROSECOND = 0.6e-6

# n, mean, p50, p95, least and most, in seconds, as computed from the file by itself.
PUBLISHED = {
    ("span", "invoked", "returned"): (50, 7.489900, 7.450167, 12.905740, 1.459655, 14.275880),
    ("span", "running", "running_ended"): (50, 0.020358, 0.020211, 0.021139, 0.019591, 0.025087),
    ("tree", "running_ended", "returned"): (50, 0.303570, 0.286870, 0.313361, 0.281305, 1.044223),
    ("span", "launched", "running"): (50, 7.165083, 7.145869, 12.599759, 1.155548, 13.203209),
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("published") / "dnpc.sqlite3")
    store.import_(corpus("parsl-2023-upstream-fixture") / "runinfo", timezone=["UTC"])
    return store


@pytest.mark.parametrize(("asked", "figures"), PUBLISHED.items())
def test_durations_are_those_of_the_published_run(
    asked: tuple[str, str, str], figures: tuple[float, ...], published: Store
) -> None:
    scope, first, second = asked
    rows = published.query(
        "SELECT duration_s, missing FROM event_pair "
        "WHERE first_type = :first AND second_type = :second AND scope = :scope",
        first=first,
        second=second,
        scope=scope,
    ).all()
    durations = sorted(duration for duration, _ in rows)
    assert {missing for _, missing in rows} == {None}
    cuts = statistics.quantiles(durations, n=100, method="inclusive")
    found = (
        len(durations), statistics.mean(durations), cuts[49], cuts[94], durations[0], durations[-1],
    )  # fmt: skip
    assert found == pytest.approx(figures, abs=HALF_A_MICROSECOND)


def test_the_summary_of_durations_has_the_same_quantiles(published: Store) -> None:
    (row,) = published.query(
        "SELECT spans, mean_s, p50_s, p95_s, min_s, max_s FROM duration_summary "
        "WHERE type = 'parsl.monitoring.task'"
    ).all()
    assert row == pytest.approx(PUBLISHED["span", "invoked", "returned"], abs=HALF_A_MICROSECOND)


def test_what_is_missing_is_said(case: Case, store: Store) -> None:
    store.import_(case("parsl-2026.10.26-killed") / "runinfo" / "monitoring.db")
    rows = store.query(
        "SELECT missing, count(*), count(duration_s) FROM event_pair WHERE first_type = 'invoked' "
        "AND second_type = 'returned' AND scope = 'span' GROUP BY missing ORDER BY missing"
    ).all()
    assert rows == [(None, 11, 11), ("second", 12, 0)]
    turned = store.query(
        "SELECT missing, count(*) FROM event_pair WHERE first_type = 'returned' "
        "AND second_type = 'invoked' AND scope = 'span' GROUP BY missing ORDER BY missing"
    ).all()
    assert turned == [(None, 11), ("first", 12)]


def test_the_earliest_of_each_type_counts_and_how_many_there_are_is_said(store: Store) -> None:
    names = Names(RUN, NAMED)
    uuid = names.named("one")
    store.add(
        [
            Span(uuid, "mine", names.trace_high, name="a", start_unix_nano=1, end_unix_nano=9),
            *(Event(uuid, time, "got", time) for time in (4, 2, 6)),
            Event(uuid, 5, "sent", 5),
        ]
    )
    (row,) = store.query(
        "SELECT first_unix_nano, second_unix_nano, first_events, second_events, app "
        "FROM event_pair WHERE first_type = 'got' AND second_type = 'sent' AND scope = 'span'"
    ).all()
    assert row == (2, 5, 3, 1, "a")
    for first, second, wanted in (
        ("start", "end", (1, 9)),
        ("start", "sent", (1, 5)),
        ("got", "end", (2, 9)),
    ):
        assert store.query(
            "SELECT first_unix_nano, second_unix_nano FROM event_pair "
            "WHERE first_type = :first AND second_type = :second AND scope = 'span'",
            first=first,
            second=second,
        ).all() == [wanted]


def test_a_tasks_tree_reaches_from_the_log_to_the_worker(store: Store) -> None:
    log, worker = Names(RUN, PARSL_LOG), Names(RUN, WORKER_LOG)
    inner = log.executor_task("htex", 1)
    store.add(
        [
            Span(log.task(7), "parsl.rundir.task", log.trace_high, name="work"),
            Span(log.attempt(7, 0), "parsl.rundir.try", log.trace_high),
            Span(inner, "parsl.rundir.executor_task", log.trace_high),
            Span(
                worker.executor_task("htex", 1), "parsl.executor.htex.worker.task", log.trace_high
            ),
            Containment(log.task(7), log.attempt(7, 0)),
            Containment(log.attempt(7, 0), inner),
            Containment(inner, worker.executor_task("htex", 1)),
            Event(log.task(7), 10**9, "invoked", 1),
            Event(worker.executor_task("htex", 1), 3 * 10**9, "worker_received_task", 1),
        ]
    )
    (row,) = store.query(
        "SELECT * FROM event_pair WHERE first_type = 'invoked' "
        "AND second_type = 'worker_received_task' AND scope = 'tree'"
    ).dicts()
    assert (row["span_uuid"], row["span_type"], row["app"]) == (
        store.query("SELECT uuid FROM parsl_task").value(), "parsl.task", "work",
    )  # fmt: skip
    assert (row["duration_s"], row["run_id"], row["missing"]) == (2.0, RUN, None)


def test_a_tree_of_ones_own_hangs_below_its_outermost_span(store: Store, tmp_path: Path) -> None:
    names = Names(RUN, NAMED)
    top, middle, leaf = (names.named(name) for name in ("top", "middle", "leaf"))
    store.add(
        [
            *(Span(uuid, "mine", names.trace_high) for uuid in (top, middle, leaf)),
            Containment(top, middle),
            Containment(middle, leaf),
            Event(top, 1, "asked", 1),
            Event(leaf, 5, "answered", 2),
        ]
    )
    assert store.query(
        "SELECT span_uuid, second_unix_nano - first_unix_nano FROM event_pair "
        "WHERE first_type = 'asked' AND second_type = 'answered' AND scope = 'tree'"
    ).all() == [(top, 4)]


def test_a_type_that_nothing_tells_of_is_missing_everywhere(case: Case, store: Store) -> None:
    """No worker log was imported: that is an answer, not a run without tasks."""
    store.import_(case("parsl-2026.10.26-killed") / "runinfo" / "monitoring.db")
    rows = store.query(
        "SELECT missing, count(*) FROM event_pair WHERE first_type = 'launched' "
        "AND second_type = 'worker_received_task' AND scope = 'span' GROUP BY missing"
    ).all()
    assert rows == [("second", 21)]
