"""Logs that were rotated: moved to other names, emptied, and several of one run.

These are read again together when one has changed. They tell of the same spans, whose rows are
the first's and have the last one's word, so that one of them alone cannot be put in the place of
what it told before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from dnpcsql import fingerprints, sources
from dnpcsql.sources import Source


def is_of_another_name(known: Source, path: str) -> bool:
    """Whether what was read of a source is at another path now, as its own has another content:
    else the two are copies."""
    place = Path(known.path)
    if known.path == path or not place.is_file():
        return False
    if fingerprints.state(place) == (known.size, known.modified_unix_nano):
        return False
    return fingerprints.of_content(place) != known.fingerprint.partition(" ")[0]


def emptied(known: Iterable[Source], unrecognised: Collection[str]) -> list[Source]:
    """Files that are empty now, and by their names could be anything: they tell nothing any more.
    (One that holds something else now keeps what it told, as one that cannot be read does.)"""
    return [
        source
        for source in known
        if source.path in unrecognised and Path(source.path).is_file() and not _size(source)
    ]


def _size(source: Source) -> int:
    return Path(source.path).stat().st_size


def torn(
    before: Iterable[Source], now: Iterable[Source], changed: Collection[str]
) -> list[set[str]]:
    """The paths of logs that tell, or told, of the same runs, where one of these has changed and
    was not the first to come. `changed`: the paths that were read, or taken out."""
    known = {source.path: source for source in before}
    tell: dict[str, tuple[str, set[str]]] = {}
    for source in (*known.values(), *now):
        if source.importer in sources.ONE_A_RUN:
            _, runs = tell.get(source.path, ("", set()))
            tell[source.path] = source.importer, runs | source.told_of()
    found: list[set[str]] = []
    for path in sorted(tell.keys() & set(changed)):
        importer, runs = tell[path]
        together = {other for other, (kind, of) in tell.items() if kind == importer and runs & of}
        if len(together) > 1 and together & known.keys() and together not in found:
            found.append(together)
    return found
