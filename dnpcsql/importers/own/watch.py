"""Regular expressions of users' own, which must not hang an import.

Some take ages for a line made for that, as `(a+)+$` does for many a's and a b. So a line has at
most LINE_LIMIT characters, and one look at it TIME_LIMIT seconds or a little more. The clock runs
in the main thread only, for only there Python lets a search be interrupted; elsewhere a line has at
most SHORT_LIMIT characters.
"""

from __future__ import annotations

import re
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

LINE_LIMIT = 8_192
SHORT_LIMIT = 512
TIME_LIMIT = 1.0


class TooSlowError(Exception):
    """A search took too long."""


class Watch:
    """`with Watch() as watch: watch.search(pattern, line)`. Raises TooSlowError."""

    def __init__(self) -> None:
        self.limit = LINE_LIMIT
        self._search = 0  # the number of the search that is going on; 0: none is
        self._searches = 0
        self._seen = 0
        self._before: Any = None
        self._main = threading.current_thread() is threading.main_thread()

    def search(self, pattern: re.Pattern[str], line: str) -> re.Match[str] | None:
        """Where a pattern is found in a line that is not longer than `limit`."""
        self._searches += 1
        try:
            self._search = self._searches
            return pattern.search(line)
        finally:
            self._search = 0

    def __enter__(self) -> Watch:
        if self._main and signal.getsignal(signal.SIGALRM) in (signal.SIG_DFL, signal.SIG_IGN):
            self._before = signal.signal(signal.SIGALRM, self._tick)
            signal.siginterrupt(signal.SIGALRM, False)  # what SQLite reads and writes goes on
            signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT / 2, TIME_LIMIT / 2)
        else:  # another thread, or the alarm is somebody else's
            self._main, self.limit = False, SHORT_LIMIT
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._main:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    def _tick(self, number: int, frame: FrameType | None) -> None:
        """Twice in TIME_LIMIT: is it still the same search as at the last look?"""
        if self._search and self._search == self._seen:
            raise TooSlowError
        self._seen = self._search
