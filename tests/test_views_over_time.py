"""Numbers over time: as many as are open, in each state, waiting; against counting by hand."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnpcsql import Event, Span
from dnpcsql.identity import NAMED, Names
from dnpcsql.store import Store
from tests.conftest import Case

RUN = "71d4a751-6867-449f-b893-6b653903b644"
STATES = ("waiting", "running", "done")


class Lived(NamedTuple):
    """A span: when it began and ended, and its events, (time, state) each."""

    start: int | None
    end: int | None
    events: tuple[tuple[int, str], ...]


TIME = st.integers(0, 12)
LIVED = st.builds(
    Lived,
    st.none() | TIME,
    st.none() | TIME,
    st.lists(st.tuples(TIME, st.sampled_from(STATES)), max_size=5).map(tuple),
)


def settled(lives: list[Lived], store: Store) -> list[Lived]:
    """The same with the starts and ends that the store took from events where none were stated."""
    known = {
        uuid: (start, end)
        for uuid, start, end in store.query("SELECT uuid, start_unix_nano, end_unix_nano FROM span")
    }
    names = Names(RUN, NAMED)
    return [
        Lived(*known[names.named("span", number)], lived.events)
        for number, lived in enumerate(lives)
    ]


def state_at(lived: Lived, moment: int) -> str | None:
    """What a span is at by hand: None where it is not open."""
    start, end = lived.start, lived.end
    if start is None or moment < start or (end is not None and moment >= max(start, end)):
        return None
    # Of events at one moment the one in the later line counts.
    so_far = [
        (max(time, start), number, state)
        for number, (time, state) in enumerate(lived.events)
        if max(time, start) <= moment
    ]
    return max(so_far)[2] if so_far else "start"


def stored(lives: list[Lived], place: Path) -> Store:
    store = Store(place)
    names = Names(RUN, NAMED)
    records: list[Span | Event] = []
    for number, lived in enumerate(lives):
        uuid = names.named("span", number)
        records.append(
            Span(
                uuid, "mine", names.trace_high,
                start_unix_nano=lived.start, end_unix_nano=lived.end,
            )
        )  # fmt: skip
        records += [
            Event(uuid, time, state, line) for line, (time, state) in enumerate(lived.events)
        ]
    store.add(records)
    return store


def steps(rows: Iterator[Any], moments: range) -> Counter[tuple[str, int]]:
    """The value of each named step function at each moment: rows are (name, time, value)."""
    found: Counter[tuple[str, int]] = Counter()
    ordered = sorted(rows, key=lambda row: row[1])
    for moment in moments:
        now = {name: value for name, time, value in ordered if time <= moment}
        for name, value in now.items():
            found[name, moment] = value
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(LIVED, min_size=1, max_size=6))
def test_occupancy_and_concurrency_are_what_counting_gives(lives: list[Lived]) -> None:
    moments = range(14)
    with tempfile.TemporaryDirectory() as name, stored(lives, Path(name) / "d.sqlite3") as store:
        occupied = store.query("SELECT state, time_unix_nano, spans FROM occupancy").all()
        live = store.query("SELECT type, time_unix_nano, live FROM concurrency").all()
        lives = settled(lives, store)
    assert all(value >= 0 for _, _, value in (*occupied, *live))
    assert len({(state, time) for state, time, _ in occupied}) == len(occupied)
    by_state, by_type = steps(iter(occupied), moments), steps(iter(live), moments)
    for moment in moments:
        states = Counter(state for lived in lives if (state := state_at(lived, moment)) is not None)
        assert {state: by_state[state, moment] for state in ("start", *STATES)} == {
            state: states[state] for state in ("start", *STATES)
        }
        assert by_type["mine", moment] == states.total()


@pytest.mark.parametrize("name", ["parsl-2023.12.18-full", "parsl-2026.10.26-killed"])
def test_the_states_of_a_real_run_add_up_to_what_is_open(
    name: str, case: Case, store: Store
) -> None:
    store.import_(case(name))
    changes: dict[tuple[str, str], dict[int, int]] = {}
    for type_, time, live in store.query("SELECT type, time_unix_nano, live FROM concurrency"):
        changes.setdefault((type_, ""), {})[time] = live
    for type_, state, time, spans in store.query(
        "SELECT type, state, time_unix_nano, spans FROM occupancy"
    ):
        assert spans >= 0
        changes.setdefault((type_, state), {})[time] = spans
    for type_ in {type_ for type_, _ in changes}:
        mine = {state: steps for (kind, state), steps in changes.items() if kind == type_}
        now = dict.fromkeys(mine, 0)
        for time in sorted({time for steps in mine.values() for time in steps}):
            now.update({state: steps[time] for state, steps in mine.items() if time in steps})
            assert sum(now.values()) == 2 * now[""], (type_, time)


def test_what_is_logged_late_takes_no_try_back(store: Store) -> None:
    from dnpcsql.identity import MONITORING

    names = Names(RUN, MONITORING)
    attempt = names.attempt(0, 0)
    store.add(
        [
            Span(attempt, "parsl.monitoring.try", names.trace_high),
            Event(attempt, 1, "pending", 1),
            Event(attempt, 3, "running", 2),
            Event(attempt, 4, "launched", 3),
            Event(attempt, 6, "running_ended", 4),
            Event(attempt, 8, "exec_done", 5),
        ]
    )
    rows = store.query(
        "SELECT state, time_unix_nano, spans FROM occupancy ORDER BY time_unix_nano, spans, state"
    ).all()
    assert rows == [
        ("pending", 1, 1), ("pending", 3, 0), ("running", 3, 1),
        ("running", 6, 0), ("running_ended", 6, 1), ("running_ended", 8, 0),
    ]  # fmt: skip


@given(st.lists(st.integers(0, 5 * 10**9), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_the_rate_of_each_second_is_a_count(times: list[int]) -> None:
    lived = Lived(None, None, tuple((time, "running") for time in times))
    with tempfile.TemporaryDirectory() as name, stored([lived], Path(name) / "d.sqlite3") as store:
        rows = store.query("SELECT span_type, type, second, events FROM event_rate").all()
    wanted = Counter(time // 10**9 for time in times)
    assert {(second, count) for _, _, second, count in rows} == set(wanted.items())
    assert {row[:2] for row in rows} == {("mine", "running")}


def test_each_try_waits_at_one_stage_at_a_time(case: Case, store: Store) -> None:
    store.import_(case("parsl-2023.12.18-full"))
    rows = store.query("SELECT run_id, executor, stage, time, tries FROM queue_length").all()
    assert all(tries >= 0 for *_, tries in rows)
    last = {}
    for run, executor, stage, _, tries in sorted(rows, key=lambda row: row[3]):
        last[run, executor, stage] = tries
    assert set(last.values()) == {0}
    most: dict[str, int] = {}
    for *_, stage, _, tries in rows:
        most[stage] = max(most.get(stage, 0), tries)
    assert most["pending"] > 10
    assert most["running"] <= 2 + 4  # workers, threads
