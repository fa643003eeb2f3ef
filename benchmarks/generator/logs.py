"""Log files written in time order, and the threads that write them."""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from time import gmtime, strftime

from .wording import Burst

SECOND = 1_000_000  # all times are whole microseconds since the epoch
HELD_LINES = 4096  # a file is written to when this many of its records wait
_time = itemgetter(0)


class Clock:
    """Tells times as a host at a fixed distance from UTC writes them."""

    def __init__(self, utc_offset: int) -> None:
        """Take the offset in seconds, positive to the east."""
        self._offset = utc_offset
        self.second = lru_cache(4096)(self._second)

    def _second(self, second: int) -> str:
        """'2026-11-22 07:06:52' of a unix second, in local time."""
        return strftime("%Y-%m-%d %H:%M:%S", gmtime(second + self._offset))

    def text(self, time: int) -> str:
        """'2026-11-22 07:06:52.921546', as monitoring.db keeps times."""
        second, micros = divmod(time, SECOND)
        return f"{self.second(second)}.{micros:06d}"

    def repr(self, time: int) -> str:
        """'datetime.datetime(2026, 11, 22, 7, 6, 52, 921546)', as parsl.log shows times."""
        second, micros = divmod(time, SECOND)
        moment = gmtime(second + self._offset)
        return f"datetime.datetime({', '.join(map(str, (*moment[:6], micros)))})"


class Log:
    """One log file; what is said in it may come a little out of order."""

    def __init__(self, path: Path | None, clock: Clock, *, epoch_heads: bool) -> None:
        """Write to `path`, or nowhere; without an epoch, heads are in local milliseconds."""
        self.path = path
        self.lines = 0
        self.pending: list[tuple[int, str]] = []
        self._clock = clock
        self._epoch_heads = epoch_heads
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def write(self, until: int) -> None:
        """Write what was said before `until`: nothing more may be said of that time."""
        self.pending.sort(key=_time)
        ready = self.pending[: bisect_left(self.pending, until, key=_time)]
        del self.pending[: len(ready)]
        if self.path is None or not ready:
            return
        text = "".join(self._epoch(ready) if self._epoch_heads else self._local(ready))
        self.lines += text.count("\n")
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def _epoch(self, records: list[tuple[int, str]]) -> list[str]:
        """Records with heads like '1795331212.928108 2026-11-22 07:06:52 '."""
        lines, last, local = [], -1, ""
        for time, text in records:
            second, micros = divmod(time, SECOND)
            if second != last:
                last, local = second, self._clock.second(second)
            lines.append(f"{second}.{micros:06d} {local} {text}\n")
        return lines

    def _local(self, records: list[tuple[int, str]]) -> list[str]:
        """Records with heads like '2026-11-22 07:06:48.129 '."""
        lines, last, local = [], -1, ""
        for time, text in records:
            second, micros = divmod(time, SECOND)
            if second != last:
                last, local = second, self._clock.second(second)
            lines.append(f"{local}.{micros // 1000:03d} {text}\n")
        return lines


class Voice:
    """A thread, which says one thing after the other."""

    def __init__(self, log: Log) -> None:
        """Speak in a log."""
        self._say = log.pending.append if log.path is not None else None
        self.free = 0

    def speak(self, burst: Burst, time: int, **values: object) -> int:
        """Say all records of an event, not before `time`; when the last was said."""
        if time < self.free:
            time = self.free
        say = self._say
        for gap, text in burst:
            time += 9 + gap + time % 29
            if say is not None:
                say((time, text(**values)))
        self.free = time
        return time
