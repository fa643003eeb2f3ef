"""A source that grows: what a receiver takes in, added a batch at a time.

A file is put in the place of what it told before; a session of a receiver tells everything once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from dnpcsql import database, settling, sources
from dnpcsql.records import Record
from dnpcsql.relate import relate_foreign
from dnpcsql.sources import Source
from dnpcsql.store import Store
from dnpcsql.writer import MANY_RUNS, Writer


class Appended(NamedTuple):
    """What became of a batch."""

    spans: int  # that were understood
    again: int  # of these were there already, in the very same words
    problems: int


def append(store: Store, path: str, importer: str, records: Iterable[Record]) -> Appended:
    """Add records, foreign spans all of them, to the source of that path, in one transaction."""
    connection = store.writing()
    with database.telling(store.path), database.transaction(connection):
        known = sources.by_path(connection, path)
        if known is None:
            source_id = sources.next_id(connection)
            known = Source(path=path, importer=importer, fingerprint=path, id=source_id)
        writer = Writer(connection, known.id, path, grows=True)
        tally = writer.write(records)
        now = known.told(known.id, tally, writer)
        sources.insert(connection, _sum(known, now))
        settling.rely_on(connection, path, writer.settler.relied_on_by)
        relate_foreign(connection)
    return Appended(tally.understood, writer.settler.again, now.problems)


def _sum(before: Source, batch: Source) -> Source:
    """A source's row when a batch has come to it."""
    runs = {*json.loads(before.runs), *json.loads(batch.runs)}
    if "" in runs or len(runs) > MANY_RUNS:
        runs = {""}
    return batch._replace(
        runs=json.dumps(sorted(runs)),
        lines=before.lines + batch.lines,
        records=before.records + batch.records,
        understood=before.understood + batch.understood,
        problems=before.problems + batch.problems,
        shares=json.dumps(sorted({*json.loads(before.shares), *json.loads(batch.shares)})),
    )
