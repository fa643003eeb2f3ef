"""A log of one's own, said in a TOML file: `dnpcsql import logs/ --importer my.toml`.

`declared.py` reads the TOML into a `definition.py`; `rows.py` takes a file apart, `reading.py` asks
each rule whether a line is for it, `telling.py` makes records of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dnpcsql.fingerprints import of_content
from dnpcsql.importers import Importer
from dnpcsql.importers.context import Context
from dnpcsql.importers.own.declared import definition_of
from dnpcsql.importers.own.reading import OwnLog
from dnpcsql.records import Record


def from_toml(path: Path) -> Importer:
    """The importer that a TOML file says. Raises NotFoundError or UnreadableError."""
    definition = definition_of(path)
    itself = path.resolve()

    def recognises(log: Path, head: bytes) -> bool:
        return definition.takes(log.name) and b"\0" not in head and log.resolve() != itself

    def read(log: Path, context: Context) -> Iterator[Record]:
        return iter(OwnLog(definition, log, context))

    return Importer(
        definition.name,
        recognises,
        read,
        anchors=False,
        version=of_content(path),
        by_content=False,
    )
