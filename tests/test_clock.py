from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql import clock
from dnpcsql.clock import MINUTE, SECOND, Clock, Interval, epoch_ns, naive_ns, named

HOUR = 60 * MINUTE


def utc(text: str) -> int:
    return naive_ns(text)


# Exactness


def test_an_epoch_is_read_without_any_rounding() -> None:
    assert epoch_ns("1795331200.508034") == 1795331200508034000
    assert epoch_ns("1795331200.123456789") == 1795331200123456789
    assert epoch_ns("1795331200.1234567891") == 1795331200123456789
    assert epoch_ns("1795331200") == 1795331200000000000


@pytest.mark.parametrize(
    "text", ["", "x", "12.x", "1_0.5", " 12.5", "12.5 ", "-1.5", "1.5e9", "12.-5", "99999999999.0"]
)
def test_what_is_no_epoch_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        epoch_ns(text)


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("2026-11-22 07:06:40", 0),
        ("2026-11-22 07:06:40.5", 500_000_000),
        ("2026-11-22 07:06:40.564", 564_000_000),
        ("2026-11-22 07:06:40,564", 564_000_000),
        ("2026-11-22 07:06:40.564559", 564_559_000),
        ("2026-11-22T07:06:40.564559123", 564_559_123),
    ],
)
def test_a_wall_time_may_have_a_fraction_of_any_length(text: str, fraction: int) -> None:
    assert naive_ns(text) == 1795331200 * SECOND + fraction
    assert clock.fixed(0, "told").reader()(text) == 1795331200 * SECOND + fraction


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-11-22 07:06",
        "2026-11-22 07:06:40.",
        "2026-11-22 07:06:40.5x",
        "2026-11-22 07:06:40+01:00",
        "2026-13-22 07:06:40",
        "2026-02-30 07:06:40",
        "not a time at all, is it",
        "9999-12-31 23:59:59.999999",
        "0001-01-01 00:00:00",
    ],
)
def test_what_is_no_wall_time_is_refused(text: str) -> None:
    for read in (naive_ns, clock.fixed(HOUR, "told").reader(), named("Europe/Berlin", "").reader()):
        with pytest.raises(ValueError, match=r"."):
            read(text)


_OFFSETS = st.integers(min_value=-14 * 4, max_value=14 * 4).map(lambda n: n * 15 * MINUTE)
_TIMES = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1))


@given(_TIMES, _OFFSETS)
def test_a_fixed_offset_is_taken_off_to_the_nanosecond(wall: datetime, offset: int) -> None:
    text = f"{wall:%Y-%m-%d %H:%M:%S.%f}"
    microseconds = (wall - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    read = clock.fixed(offset, "told").reader()
    assert read(text) == microseconds * 1000 - offset
    assert read(text) == read(text)


# Zones

ZONES = [
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "UTC",
]


@given(
    st.sampled_from(ZONES),
    st.integers(min_value=1_500_000_000, max_value=1_900_000_000),
    st.lists(st.integers(min_value=1, max_value=1500), min_size=1, max_size=30),
)
def test_rising_wall_times_are_read_as_what_they_were(
    zone: str, start: int, steps: list[int]
) -> None:
    """Half-hour zones, both changes of the year: as long as the first is not ambiguous."""
    tz = ZoneInfo(zone)
    moments = [start]
    for step in steps:
        moments.append(moments[-1] + step)
    walls = [datetime.fromtimestamp(moment, tz) for moment in moments]
    texts = [f"{wall:%Y-%m-%d %H:%M:%S}" for wall in walls]
    first = walls[0].replace(fold=0).utcoffset(), walls[0].replace(fold=1).utcoffset()
    if first[0] != first[1]:
        return
    read = named(zone, "told").reader()
    assert [read(text) // SECOND for text in texts] == moments


@pytest.mark.parametrize(
    ("zone", "wall", "absolute"),
    [
        ("Asia/Kolkata", "2026-06-01 05:30:00", "2026-06-01 00:00:00"),
        ("Asia/Kathmandu", "2026-06-01 05:45:00", "2026-06-01 00:00:00"),
        ("Australia/Lord_Howe", "2026-06-01 10:30:00", "2026-06-01 00:00:00"),
        ("Australia/Lord_Howe", "2026-12-01 11:00:00", "2026-12-01 00:00:00"),
        ("America/St_Johns", "2026-12-01 20:30:00", "2026-12-02 00:00:00"),
        ("America/St_Johns", "2026-06-01 21:30:00", "2026-06-02 00:00:00"),
        ("+05:30", "2026-06-01 05:30:00", "2026-06-01 00:00:00"),
        ("-0330", "2026-12-01 20:30:00", "2026-12-02 00:00:00"),
        ("UTC", "2026-06-01 05:30:00", "2026-06-01 05:30:00"),
    ],
)
def test_a_zone_is_taken_by_its_name(zone: str, wall: str, absolute: str) -> None:
    assert named(zone, "told").reader()(wall) == utc(absolute)


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "Europe", "../etc/passwd", "+25:00", "+1", "Berlin", "a\0b", "/"]
)
def test_a_zone_that_is_none_is_refused_with_examples(name: str) -> None:
    with pytest.raises(ValueError, match=r"no such time zone: .* \(like Europe/Berlin, UTC"):
        named(name, "told")


# A change of the year

# 2026-10-25 03:00 CEST (01:00 UTC) is 02:00 CET.
AUTUMN = utc("2026-10-25 01:00:00")
BERLIN = Clock(
    "seen",
    (Interval(-(2**62), AUTUMN, 2 * HOUR), Interval(AUTUMN, 2**62, HOUR)),
)


@pytest.mark.parametrize("clock_", [BERLIN, named("Europe/Berlin", "told")])
def test_an_hour_that_comes_twice_is_told_apart_by_the_order_of_records(clock_: Clock) -> None:
    read = clock_.reader()
    walls = ["01:59:59", "02:30:00", "02:59:59.5", "02:00:00.5", "02:30:00", "03:00:00"]
    assert [read(f"2026-10-25 {wall}") - AUTUMN for wall in walls] == [
        -3601 * SECOND,
        -1800 * SECOND,
        -SECOND // 2,
        SECOND // 2,
        1800 * SECOND,
        3600 * SECOND,
    ]


@pytest.mark.parametrize("clock_", [BERLIN, named("Europe/Berlin", "told")])
def test_a_step_back_of_milliseconds_is_two_threads_and_no_change_of_zone(clock_: Clock) -> None:
    read = clock_.reader()
    first = read("2026-10-25 02:30:00.010")
    assert read("2026-10-25 02:30:00.008") == first - 2_000_000


@pytest.mark.parametrize("clock_", [BERLIN, named("Europe/Berlin", "told")])
@pytest.mark.parametrize(("started", "hours"), [("00:40:00", -1), ("01:20:00", 0)])
def test_what_is_known_of_a_run_tells_which_of_two_hours_its_first_record_means(
    clock_: Clock, started: str, hours: int
) -> None:
    run = utc(f"2026-10-25 {started}")
    read = clock_.within(run, run + 10 * MINUTE).reader()
    assert read("2026-10-25 02:30:00") == AUTUMN + 30 * MINUTE + hours * HOUR


def test_an_hour_that_is_left_out_is_still_a_time() -> None:
    for zone in (named("Europe/Berlin", "told"), _spring()):
        assert zone.reader()("2026-03-29 02:30:00") == pytest.approx(
            utc("2026-03-29 01:00:00"), abs=HOUR
        )


def test_spring_is_read_on_both_sides_of_the_change() -> None:
    for zone in (named("Europe/Berlin", "told"), _spring()):
        read = zone.reader()
        assert read("2026-03-29 01:59:59") == utc("2026-03-29 00:59:59")
        assert read("2026-03-29 03:00:00") == utc("2026-03-29 01:00:00")


def _spring() -> Clock:
    change = utc("2026-03-29 01:00:00")
    return Clock("seen", (Interval(-(2**62), change, HOUR), Interval(change, 2**62, 2 * HOUR)))


# This machine's zone

_LOCAL = """
from dnpcsql.clock import named, naive_ns
clock = named("local", "told")
noon = "2026-07-01 12:00:00"
print(clock.reader()(noon) - naive_ns(noon), clock)
"""


def _local_in(zone: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", _LOCAL],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.split(" ", 1)


def test_local_is_this_machines_zone_and_looks_the_same_each_time() -> None:
    berlin, again, tokyo = (_local_in(zone) for zone in ("Europe/Berlin", "Europe/Berlin", "Japan"))
    assert [int(seen[0]) // HOUR for seen in (berlin, tokyo)] == [-2, -9]
    assert berlin[1] == again[1]
    assert berlin[1] != tokyo[1]


# How it is told


def test_offsets_are_shown_as_people_write_them() -> None:
    assert clock.offset_text(5 * HOUR + 45 * MINUTE) == "+05:45"
    assert clock.offset_text(-(3 * HOUR + 30 * MINUTE)) == "-03:30"
    assert clock.offset_text(0) == "+00:00"
    assert BERLIN.describe() == "+02:00, +01:00"
    assert named("Europe/Berlin", "told").describe() == ""


def test_a_time_is_shown_to_the_millisecond() -> None:
    assert clock.local_text(1795331200564559000) == "2026-11-22 07:06:40.564"
    assert clock.local_text(1795331200564559000, HOUR) == "2026-11-22 08:06:40.564"


def test_a_clock_of_an_unknown_zone_is_utc_and_says_so() -> None:
    assert clock.UNKNOWN.reader()("1970-01-01 00:00:01") == SECOND
    assert clock.UNKNOWN.how.startswith("nothing known")
    assert clock.UNKNOWN.candidates(naive_ns("1970-01-01 00:00:01")) == [SECOND]


def test_the_readers_zone_is_not_the_analysts() -> None:
    assert datetime.fromtimestamp(0, timezone.utc).hour == 0
    assert naive_ns("1970-01-01 00:00:00") == 0
