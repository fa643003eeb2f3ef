"""Whether the files that were read are still what they were."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from dnpcsql import fingerprints, sources
from dnpcsql.checks.finding import NOTE, ODD, Finding, counted
from dnpcsql.settling import RECEIVED
from dnpcsql.sources import Source


def found(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Files that changed since they were read, and such as are gone."""
    changed, gone = [], []
    for source in sources.all_of(connection):
        if source.path.startswith(RECEIVED) or source.size is None:
            continue  # it came over the network or from Python, or could not be read even then
        try:
            difference = _difference(source)
        except FileNotFoundError:
            gone.append(source.path)
        except OSError as error:
            gone.append(f"{source.path}  {error.strerror}")
        else:
            if difference:
                changed.append(f"{source.path}  {difference}")
    again = "dnpcsql import PATH"
    yield from counted(ODD, "files that changed since they were read", changed, again)
    yield from counted(NOTE, "files that are not there any more", gone, "dnpcsql sources")


def _difference(source: Source) -> str:
    """What is other about a file now; nothing if it is the same. A member of an archive is as
    old as the archive."""
    archive, inside, _ = source.path.partition("!/")
    path = Path(archive)
    state = path.stat()
    if inside:
        later = state.st_mtime > (source.imported_at or 0)
        return "its archive was written after it was read" if later else ""
    if state.st_size != source.size:
        return f"{source.size} bytes then, {state.st_size} now"
    if state.st_mtime_ns == source.modified_unix_nano:
        return ""
    same = source.fingerprint.startswith(fingerprints.of_content(path))
    return "" if same else "of the same size, but other content"
