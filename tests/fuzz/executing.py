"""One execution: a damaged file is read to its end, and all that it gives can stand in the tables.

An importer may refuse a file by name (UnreadableError); any other error is a bug, and so is a
record that the store would not take, JSON that SQLite could not read, and time out of proportion.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dnpcsql import clock
from dnpcsql.checks import DAMAGED
from dnpcsql.errors import DnpcsqlError
from dnpcsql.importers import Importer
from dnpcsql.importers.choice import Choice
from dnpcsql.importers.context import Context
from dnpcsql.records import Event, Link, Problem, Record, Sample, Span, Tally, Told
from dnpcsql.store import Store
from tests.fuzz.mutating import mutated
from tests.fuzz.seeds import Seed

CPU_LIMIT_S = 5.0
_INTEGERS = range(-(1 << 63), 1 << 63)
_JSON = ("attributes", "metrics", "entity_refs")
_RUN = "71d4a751-6867-449f-b893-6b653903b644"
_CONTEXTS = (
    Context(),
    Context(run_id=_RUN, clock=clock.fixed(3600, "told")),
    Context(run_id=_RUN, label="htex", block_id="0", manager_uid="aafb1402bc0f", labels=("htex",)),
    Context(scopes=("a scope",), tied=True, label="wq"),
)
_CHOICE = Choice(None)


class FoundError(Exception):
    """A bug: which importer, and what it did."""


def execute(seed: Seed, number: int, folder: Path, *, stored: bool = False) -> None:
    """Damage a file in the way of that number and read it. Raises FoundError.

    `stored`: through the store, with all views that people ask after it, instead of by itself.
    """
    draw = random.Random(f"{seed.importer.name} {seed.place} {number}")
    path = folder / seed.place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mutated(seed.content, draw))
    began = time.process_time()
    try:
        if stored:
            _through_the_store(path, folder)
        else:
            if draw.random() < 0.1:
                _CHOICE.of(path)
            look(seed.importer.read(path, draw.choice(_CONTEXTS)))
    except DnpcsqlError:
        pass
    except Exception as error:
        raise FoundError(f"{seed.importer.name}: {type(error).__name__}: {error}") from error
    if time.process_time() - began > CPU_LIMIT_S:
        raise FoundError(f"{seed.importer.name}: {time.process_time() - began:.1f} s of CPU")


def read_by(importer: Importer, path: Path) -> None:
    """As `execute`, of a file as it is."""
    for context in _CONTEXTS:
        look(importer.read(path, context))


def look(records: Iterable[Record]) -> None:
    """Whether the store would take each record as it is."""
    for record in records:
        match record:
            case Told():
                _fits(record.span)
                for event in record.events:
                    _fits(event)
                for link in record.links:
                    _fits(link)
            case Problem():
                assert isinstance(record.kind, str), record
                assert record.line is None or record.line in _INTEGERS, record
            case Tally():
                assert record.understood >= 0, record
                json.dumps(record.messages, allow_nan=False)
            case _:
                _fits(record)


def _fits(record: Any) -> None:
    for name, value in zip(record._fields, record, strict=True):
        match value:
            case str():
                # The writer mends halves of characters.
                if name in _JSON:
                    json.loads(value, parse_constant=_no_json)
            case int():
                assert value in _INTEGERS, record
            case None:
                pass
            case _:
                raise AssertionError(f"{name} is a {type(value).__name__}: {record!r:.300}")
    match record:
        case Span():
            assert len(record.uuid) == 28, record
            assert len(record.trace_high) == 20, record
        case Event() | Link() | Sample():
            assert len(record.span_uuid) == 28, record


def _no_json(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def _through_the_store(path: Path, folder: Path) -> None:
    database = folder / "fuzz.sqlite3"
    database.unlink(missing_ok=True)
    with Store(database) as store:
        done = store.import_(path)
        own = [text for text in done.failed if "the importer failed" in text]
        assert not own, own
        refused = store.query("SELECT text FROM problem WHERE kind = 'record refused'").all()
        assert not refused, refused
        harmed = [one for one in store.check() if one.level == DAMAGED]
        assert not harmed, harmed
        for view in ("parsl_run", "parsl_task", "parsl_try", "otlp_span", "problem_summary"):
            store.query(view).all()
