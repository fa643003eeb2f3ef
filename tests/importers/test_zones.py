from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dnpcsql.clock import MINUTE, SECOND, naive_ns
from dnpcsql.importers.zones import clock_of_log, clock_of_scripts
from tests.conftest import Case

HOUR = 60 * MINUTE


def record(moment: float, zone: str, more: str = "") -> str:
    """A record of shape A, written by a process in a zone."""
    wall = datetime.fromtimestamp(int(moment), ZoneInfo(zone))
    return f"{moment:.6f} {wall:%Y-%m-%d %H:%M:%S} MainProcess-1 T-2 x:3 f INFO: words\n{more}"


def log(path: Path, moments: list[float], zone: str, more: str = "") -> Path:
    path.write_text("".join(record(moment, zone, more) for moment in moments))
    return path


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("UTC", "+00:00"),
        ("Asia/Kolkata", "+05:30"),
        ("Asia/Kathmandu", "+05:45"),
        ("America/St_Johns", "-03:30"),
        ("Australia/Lord_Howe", "+11:00"),
    ],
)
def test_a_logs_zone_is_seen_in_its_first_record(zone: str, offset: str, tmp_path: Path) -> None:
    clock = clock_of_log(log(tmp_path / "parsl.log", [1795331212.928108, 1795331213.5], zone))
    assert clock is not None
    assert (clock.describe(), clock.how) == (offset, "from parsl.log")


@pytest.mark.parametrize("name", ["parsl-2025.9.15-multi", "parsl-2026.10.26-dst"])
def test_the_zone_of_a_real_log_is_found(name: str, case: Case) -> None:
    for path in (case(name) / "runinfo").glob("*/parsl.log"):
        clock = clock_of_log(path)
        assert clock is not None
        assert clock.describe() == ("+02:00, +01:00" if "dst" in name else "+01:00")


# 2026-10-25 01:00 UTC: in Berlin 03:00 CEST becomes 02:00 CET.
AUTUMN = 1792890000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
    year=st.integers(min_value=2015, max_value=2030),
    seed=st.integers(min_value=0, max_value=1000),
)
def test_a_change_in_mid_log_is_found_to_the_second(
    zone: str, year: int, seed: int, tmp_path: Path
) -> None:
    """Whatever lies between two records of the log, the change was at a full quarter of an hour."""
    days = range(int(datetime(year, 1, 2, tzinfo=ZoneInfo("UTC")).timestamp()), 10**11, 86400)
    changes = [
        second
        for day in days[:364]
        if _offset(day, zone) != _offset(day + 86400, zone)
        for second in range(day, day + 86400, 900)
        if _offset(second - 1, zone) != _offset(second, zone)
    ]
    assert changes
    change = changes[seed % len(changes)]
    draw = random.Random(seed)
    moments = sorted(change + draw.uniform(-600, 600) for _ in range(40))
    path = log(tmp_path / "parsl.log", moments, zone, "a line of a traceback\n" * (seed % 50))
    clock = clock_of_log(path)
    assert clock is not None
    told = {_offset(moment, zone) for moment in moments}
    assert {part.offset for part in clock.intervals} == {offset * SECOND for offset in told}
    if len(told) > 1:
        assert clock.intervals[0].end == clock.intervals[1].start == change * SECOND


def _offset(moment: float, zone: str) -> int:
    offset = datetime.fromtimestamp(moment, ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def test_a_database_row_between_the_change_and_the_logs_next_record(tmp_path: Path) -> None:
    path = log(tmp_path / "parsl.log", [AUTUMN - 2.5, AUTUMN + 3.5], "Europe/Berlin")
    clock = clock_of_log(path)
    assert clock is not None
    read = clock.reader()
    walls = ["02:59:58.0", "02:59:59.5", "02:00:01.0", "02:00:04.0"]
    assert [read(f"2026-10-25 {wall}") - AUTUMN * SECOND for wall in walls] == [
        -2 * SECOND,
        -SECOND // 2,
        SECOND,
        4 * SECOND,
    ]


def test_a_second_that_was_rounded_up_is_no_change_of_zone(tmp_path: Path) -> None:
    """A time of …39.9999997 is written as 40.000000 beside a wall clock that says 39."""
    path = tmp_path / "parsl.log"
    rounded = record(1795331239, "UTC").replace("1795331239.000000", "1795331240.000000")
    for text in (
        rounded + record(1795331250.5, "UTC"),
        record(1795331210.5, "UTC") + rounded,
        rounded,
    ):
        path.write_text(text)
        clock = clock_of_log(path)
        assert clock is not None
        assert [part.offset for part in clock.intervals] == [0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no times at all\n" * 10,
        b"2026-11-22 07:06:48.125 parsl:281 16651 Task-Puller [DEBUG]  old\n",
        b"\0" * 10_000,
        b"99999999999.000000 2026-11-22 07:06:52 M-1 T-1 x:1 f INFO: far\n",
        b"1795331212.928108 2026-99-22 07:06:52 M-1 T-1 x:1 f INFO: no such month\n",
        b"1795331212.928108 1999-11-22 07:06:52 M-1 T-1 x:1 f INFO: years apart\n",
    ],
)
def test_a_log_that_does_not_show_its_zone_has_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "parsl.log"
    path.write_bytes(content)
    assert clock_of_log(path) is None
    assert clock_of_log(tmp_path / "gone") is None


def test_a_clock_is_found_behind_a_megabyte_of_configuration(tmp_path: Path) -> None:
    moments = [1795331212.5, 1795331300.5]
    path = log(
        tmp_path / "parsl.log", moments, "Asia/Kolkata", "x" * 99 + "\n" + "y" * 700_000 + "\n"
    )
    clock = clock_of_log(path)
    assert clock is not None
    assert clock.describe() == "+05:30"
    assert (clock.first, clock.last) == (
        1795331212 * SECOND + SECOND // 2 - 30 * MINUTE,
        1795331300 * SECOND + SECOND // 2 + 30 * MINUTE,
    )


# Logs of 1.2.0 show no instants at all, but the names of submit scripts do.


@pytest.mark.parametrize("hours", [-9.5, -5, 0, 1, 5.75, 14])
def test_the_zone_of_an_old_log_is_that_of_its_submit_scripts(hours: float) -> None:
    names = ["parsl.localprovider.1638342859.478654.sh", "parsl.localprovider.1638342900.1.sh"]
    wall = datetime.fromtimestamp(1638342859.62 + hours * 3600, ZoneInfo("UTC"))
    clock = clock_of_scripts(names, f"{wall:%Y-%m-%d %H:%M:%S.%f}"[:-3])
    assert clock is not None
    assert clock.intervals[0].offset == round(hours * HOUR)
    assert clock.reader()(f"{wall:%Y-%m-%d %H:%M:%S.%f}") == pytest.approx(
        1638342859.62 * 1e9, abs=1e6
    )


@pytest.mark.parametrize(
    ("names", "launched"),
    [
        ([], "2021-12-01 07:14:19.760"),
        (["cmd.sh"], "2021-12-01 07:14:19.760"),
        (["parsl.localprovider.1638342859.478654.sh"], None),
        (["parsl.localprovider.1638342859.478654.sh"], "2021-12-01 07:21:59.760"),
        (["parsl.localprovider.99999999999.1.sh"], "2021-12-01 07:21:59.760"),
    ],
)
def test_scripts_that_fit_no_zone_tell_none(names: list[str], launched: str | None) -> None:
    assert clock_of_scripts(names, launched) is None


def test_what_is_nothing_but_the_epoch_is_read_exactly() -> None:
    assert naive_ns("2026-10-25 01:00:00") == AUTUMN * SECOND
