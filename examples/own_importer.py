"""An importer of one's own, for a log that dnpcsql knows nothing of: Debian's dpkg.log.

    dnpcsql import examples/dpkg.log --importer examples/own_importer.py --timezone UTC

A span for each package that was installed, an event for each state that it went through. The log
looks like this; its times are local and name no zone:

    2026-11-23 03:02:20 install libgdbm6:amd64 <none> 1.23-3
    2026-11-23 03:02:20 status half-installed libgdbm6:amd64 1.23-3
    2026-11-23 03:02:53 status installed libgdbm6:amd64 1.23-3
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dnpcsql import Event, Problem, Record, Span
from dnpcsql.identity import NAMED, Names
from dnpcsql.importers import Context, Lines

STATE = re.compile(r"(?P<time>\S+ \S+) (?:status (?P<state>\S+)|install) (?P<package>\S+) \S+.*")


def dpkg_log(path: Path, context: Context) -> Iterator[Record]:
    """Packages that dpkg installed, and their states."""
    names = Names("dpkg on this machine", NAMED)
    unix_nano = context.clock.reader()
    for number, line in enumerate(Lines(path), 1):
        found = STATE.fullmatch(line)
        if found is None:
            yield Problem(number, "not understood", line)
            continue
        uuid = names.named("dpkg.package", found["package"])
        yield Span(uuid, "dpkg.package", names.trace_high, name=found["package"], line=number)
        yield Event(uuid, unix_nano(found["time"]), found["state"] or "install", number)
