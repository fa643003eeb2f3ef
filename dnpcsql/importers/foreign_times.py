"""Times and durations, as other people's logs write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone

from dnpcsql.clock import SECOND, Clock, naive_ns

# 2026-11-22 07:06:40   2026-11-22T07:06:40.123Z   2026-11-22 07:06:40,123 +01:00
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))? ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)
_NUMBER = re.compile(r"(-?\d{1,19})(?:\.(\d+))?", re.ASCII)

# Digits of a whole number that is a time of 2001 to 2286 in seconds, ms, µs, ns.
_UNIT_BY_DIGITS = {10: SECOND, 13: 10**6, 16: 10**3, 19: 1}
UNITS = {"unix": SECOND, "unix_ms": 10**6, "unix_us": 10**3, "unix_ns": 1}

# 12.5   1:02:03   2-01:02:03.5 (Slurm)   1m 3s, 350ms (Nextflow)
_CLOCK = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)", re.ASCII)
_PART = re.compile(r"(\d{1,20}(?:\.\d{1,20})?) ?(ms|us|µs|ns|[dhms])(?: +|$)", re.ASCII)
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6,
            "ns": 1e-9}  # fmt: skip
_LONGEST = 64


class Times:
    """Reads the times of one file; remembers whether any of them showed no zone."""

    def __init__(self, clock: Clock, form: str | None) -> None:
        """`form`: as strptime takes it, or unix, unix_ms, unix_us, unix_ns; None: ISO 8601, or
        unix times told apart by their digits."""
        self.zoneless = False
        self._clock = clock
        self._form = form

    def reader(self) -> Callable[[str], int]:
        """A function from the texts of one field, in their order, to unix nanoseconds.

        It raises ValueError for what is no time.
        """
        local = self._clock.reader()

        def naive(text: str) -> int:
            self.zoneless = True
            return local(text)

        def read(text: str) -> int:
            if self._form is None:
                return _plain(text, naive)
            if self._form in UNITS:
                return _number(text, UNITS[self._form])
            return _formed(text, self._form, naive)

        return read


def duration_ns(text: str) -> int:
    """A duration as nanoseconds: `12.5` seconds, `1:02:03`, `2-01:02:03`, `1m 3s`, `350ms`.

    Raises ValueError for anything else.
    """
    text = text.strip()[:_LONGEST]
    clock = _CLOCK.fullmatch(text)
    if clock:
        days, hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return round((days * 86400 + hours * 3600 + minutes * 60 + seconds) * SECOND)
    parts = _PART.findall(text)
    if parts and _PART.sub("", text) == "":
        return round(sum(float(value) * _SECONDS[unit] for value, unit in parts) * SECOND)
    return _number(text, SECOND)


def _plain(text: str, naive: Callable[[str], int]) -> int:
    iso = _ISO.fullmatch(text)
    if iso is None:
        return _number(text, None)
    day, clock, fraction, zone = iso.groups()
    whole = f"{day} {clock}.{fraction}" if fraction else f"{day} {clock}"
    return naive(whole) if zone is None else naive_ns(whole) - _offset(zone)


def _offset(zone: str) -> int:
    if zone in ("Z", "UTC"):
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return (-minutes if zone[0] == "-" else minutes) * 60 * SECOND


def _number(text: str, unit: int | None) -> int:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"not understood: {text[:_LONGEST]!r}")
    whole, fraction = found[1], found[2] or ""
    unit = unit or _UNIT_BY_DIGITS.get(len(whole))
    if unit is None:
        raise ValueError(f'is {text} seconds, or ms? say it: time_format = "unix_ms"')
    digits = len(str(unit)) - 1
    part = int(fraction[:digits].ljust(digits, "0") or 0)
    return int(whole) * unit + (-part if whole[0] == "-" else part)


def _formed(text: str, form: str, naive: Callable[[str], int]) -> int:
    moment = datetime.strptime(text, form)
    if moment.tzinfo is None:
        return naive(f"{moment:%Y-%m-%d %H:%M:%S.%f}")
    since = moment.astimezone(timezone.utc).replace(tzinfo=None) - datetime(1970, 1, 1)
    return (since.days * 86400 + since.seconds) * SECOND + since.microseconds * 1000
