"""Time texts → whole nanoseconds since the epoch.

Most of what Parsl writes is local wall time without a zone. A `Clock` says which offset holds
when, and how that is known; its reader turns the texts of one file, in the order in which
they stand there, into absolute times. No floats on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SECOND = 10**9
LATEST = (1 << 63) - 1  # nanoseconds that SQLite holds: the year 2262
MINUTE = 60 * SECOND
MARGIN = 30 * MINUTE  # how far beyond what is known of a run its records may reach
_DISORDER = 2 * MINUTE  # how far records may stand from where their time belongs
_FOREVER = 2**62
# Nanoseconds, by how many digits a fraction of a second has.
_FRACTIONS: tuple[int, ...] = tuple(10 ** (9 - digits) for digits in range(10))
_YEARS = range(1700, 2262)  # whose nanoseconds are whole numbers to SQLite


class Interval(NamedTuple):
    """From `start` to `end`, in unix nanoseconds, local time was `offset` ahead of UTC."""

    start: int
    end: int
    offset: int


class Clock(NamedTuple):
    """How the local times of a file become absolute ones.

    `zone` is used if given, else `intervals`. `first` and `last` bound the times that can be
    meant, so that an hour that the clock repeats can be told apart.
    """

    how: str
    intervals: tuple[Interval, ...] = ()
    zone: tzinfo | None = None
    first: int = -_FOREVER
    last: int = _FOREVER

    def reader(self) -> Callable[[str], int]:
        """A function from local time texts, in record order, to unix nanoseconds.

        It raises ValueError for what is not a time.
        """
        if self.zone is None and len(self.intervals) <= 1:
            offset = self.intervals[0].offset if self.intervals else 0
            return _constant_reader(offset)
        return _ChangingReader(self)

    def candidates(self, naive: int) -> list[int]:
        """The instants at which this clock showed `naive` (nanoseconds, as if it were UTC)."""
        if self.zone is not None:
            return _zone_candidates(self.zone, naive)
        shown = [
            naive - part.offset
            for part in self.intervals
            if part.start <= naive - part.offset < part.end
        ]
        return sorted(set(shown)) or [naive - self.intervals[0].offset]

    def offset_at(self, unix_nano: int) -> int:
        """How far local time was ahead of UTC at an instant."""
        if self.zone is not None:
            moment = datetime.fromtimestamp(unix_nano // SECOND, timezone.utc)
            return _nanoseconds(moment.astimezone(self.zone).utcoffset())
        return next(
            (part.offset for part in self.intervals if part.start <= unix_nano < part.end), 0
        )

    def within(self, first: int | None, last: int | None) -> Clock:
        """The same clock, for times between two instants."""
        return self._replace(
            first=self.first if first is None else first - MARGIN,
            last=self.last if last is None else last + MARGIN,
        )

    def describe(self) -> str:
        """The offset as people write it, `+01:00` or `+02:00, +01:00`; empty if a zone says it."""
        return ", ".join(offset_text(part.offset) for part in self.intervals)


def fixed(offset_ns: int, how: str) -> Clock:
    """A clock that never changes."""
    return Clock(how, (Interval(-_FOREVER, _FOREVER, offset_ns),))


UNKNOWN = fixed(0, "nothing known: UTC taken")


def named(text: str, how: str) -> Clock:
    """A clock by its zone's name: `Europe/Berlin`, `UTC`, `local` (this machine's) or `+05:30`.

    Raises ValueError if there is no such zone.
    """
    if text[:1] in "+-":
        try:
            offset = datetime.strptime(text, "%z").utcoffset()
        except ValueError:
            offset = None
        if offset is not None:
            return fixed(round(offset.total_seconds()) * SECOND, how)
    if text == "local":
        return Clock(how, zone=_Local())
    try:
        return Clock(how, zone=ZoneInfo(text))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"no such time zone: {text!r} (like Europe/Berlin, UTC, +05:30, or local)"
        ) from None


def epoch_ns(text: str) -> int:
    """'1795331200.508034', unix seconds, as nanoseconds, exactly. ValueError if it is not that."""
    seconds, _, fraction = text.partition(".")
    if not ((seconds + fraction).isdecimal() and 0 < len(seconds) <= 10):
        raise ValueError(f"not a time: {text!r}")
    found = int(seconds) * SECOND + int(fraction[:9].ljust(9, "0"))
    if found > LATEST:
        raise ValueError(f"not a time: {text!r}")
    return found


def naive_ns(text: str) -> int:
    """'2026-11-22 07:06:40.564559' as nanoseconds since 1970 on that very clock.

    The fraction may be of any length, set off by a dot or a comma, or be absent.
    """
    found = _naive_seconds(text[:19]) * SECOND + _fraction_ns(text)
    if not -LATEST <= found <= LATEST:
        raise ValueError(f"no time that 64 bits hold: {text!r}")
    return found


def local_text(unix_nano: int, offset_ns: int = 0) -> str:
    """Nanoseconds as '2026-11-22 07:06:40.564', for people."""
    moment = datetime.fromtimestamp((unix_nano + offset_ns) // SECOND, timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{(unix_nano + offset_ns) % SECOND // 10**6:03d}"


def offset_text(offset_ns: int) -> str:
    """3600000000000 as '+01:00'."""
    minutes = offset_ns // MINUTE
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _naive_seconds(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    if moment.year not in _YEARS:
        raise ValueError(f"not a time: {text!r}")
    return round(moment.timestamp())


def _fraction_ns(text: str) -> int:
    fraction = text[20:]
    if fraction.isdecimal() and text[19] in ".,":
        digits = fraction[:9]
        return int(digits) * _FRACTIONS[len(digits)]
    if not fraction and len(text) in (10, 19):
        return 0
    raise ValueError(f"not a time: {text!r}")


def _constant_reader(offset: int) -> Callable[[str], int]:
    """Texts of one second follow each other, so the second is worked out once."""
    last_text, last_ns = "", 0

    def read(text: str) -> int:
        nonlocal last_text, last_ns
        second = text[:19]
        if second != last_text:
            last_ns, last_text = _naive_seconds(second) * SECOND - offset, second
        return last_ns + _fraction_ns(text)

    return read


class _ChangingReader:
    """For a clock that changes: what can be meant, and follows nearest on the record before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._previous: int | None = None

    def __call__(self, text: str) -> int:
        found = self._clock.candidates(naive_ns(text))
        if len(found) > 1:
            found = [ns for ns in found if self._clock.first <= ns <= self._clock.last] or found
        if len(found) > 1 and self._previous is not None:
            previous = self._previous
            found.sort(key=lambda ns: (ns < previous - _DISORDER, abs(ns - previous)))
        self._previous = found[0]
        return found[0]


def _zone_candidates(zone: tzinfo, naive: int) -> list[int]:
    wall = datetime.fromtimestamp(naive // SECOND, timezone.utc).replace(tzinfo=zone)
    offsets = (wall.replace(fold=fold).utcoffset() for fold in (0, 1))
    return sorted({naive - _nanoseconds(offset) for offset in offsets})


def _nanoseconds(offset: timedelta | None) -> int:
    return 0 if offset is None else round(offset.total_seconds()) * SECOND


class _Local(tzinfo):
    """This machine's zone, whatever its name."""

    def __repr__(self) -> str:
        """The same in every process, for what a file was read by is compared."""
        return f"local: {'/'.join(time.tzname)}"

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """The offset that this machine uses at a wall time."""
        return moment.replace(tzinfo=None).astimezone().utcoffset() if moment else None

    def fromutc(self, moment: datetime) -> datetime:
        """The wall time at an instant."""
        return moment.replace(tzinfo=timezone.utc).astimezone().replace(tzinfo=self)

    def dst(self, moment: datetime | None) -> None:
        """Not known apart from the offset."""

    def tzname(self, moment: datetime | None) -> str:
        """What the user calls it."""
        return "local"
