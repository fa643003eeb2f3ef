from __future__ import annotations

import pytest

from dnpcsql import clock
from dnpcsql.importers.foreign_times import Times, duration_ns

BERLIN = clock.named("Europe/Berlin", "test")
NOON = 1_795_345_200 * 10**9  # 2026-11-22 11:00:00 UTC


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("2026-11-22 12:00:00", None, NOON),  # Berlin's
        ("2026-11-22T12:00:00.25", None, NOON + 250_000_000),
        ("2026-11-22 12:00:00,123456789", None, NOON + 123_456_789),
        ("2026-11-22T11:00:00Z", None, NOON),
        ("2026-11-22 11:00:00 UTC", None, NOON),
        ("2026-11-22T06:30:00-0430", None, NOON),
        ("2026-11-22T16:45:00.000000001+05:45", None, NOON + 1),
        ("1795345200", None, NOON),
        ("1795345200.5", None, NOON + 500_000_000),
        ("1795345200500", None, NOON + 500_000_000),
        ("1795345200500000", None, NOON + 500_000_000),
        ("1795345200500000001", None, NOON + 500_000_001),
        ("12", "unix", 12 * 10**9),
        ("-1.5", "unix", -1_500_000_000),
        ("1795345200000.25", "unix_ms", NOON + 250_000),
        ("22/Nov/2026:11:00:00 +0000", "%d/%b/%Y:%H:%M:%S %z", NOON),
        ("22.11.2026 12:00", "%d.%m.%Y %H:%M", NOON),
        ("Sun Nov 22 12:00:00 2026", "%a %b %d %H:%M:%S %Y", NOON),
    ],
)
def test_times_as_others_write_them(text: str, form: str | None, expected: int) -> None:
    assert Times(BERLIN, form).reader()(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "-", "yesterday", "12", "2026-13-01 00:00:00", "2026-11-22", "\uff11795345200"],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Times(BERLIN, None).reader()(text)


def test_the_hour_that_a_clock_repeats_is_told_by_the_order() -> None:
    read = Times(BERLIN, None).reader()
    texts = ["2026-10-25 01:59:00", "2026-10-25 02:59:00", "2026-10-25 02:01:00"]
    first, second, third = map(read, texts)
    assert (second - first, third - second) == (3600 * 10**9, 120 * 10**9)


def test_whether_a_zone_was_needed_is_known() -> None:
    times = Times(BERLIN, None)
    read = times.reader()
    read("2026-11-22T11:00:00Z")
    assert not times.zoneless
    read("2026-11-22T11:00:00")
    assert times.zoneless


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12", 12), ("0.012", 0.012), ("1:02", 62), ("01:02:03", 3723), ("2-01:00:00.5", 176400.5),
        ("350ms", 0.35), ("28.5s", 28.5), ("6m 18s", 378), ("1d 2h 3m 4s", 93784), ("5 µs", 5e-6),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert duration_ns(text) == round(seconds * 10**9)


@pytest.mark.parametrize("text", ["", "long", "5 parsecs", "1m x", "1:2:3:4"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        duration_ns(text)
