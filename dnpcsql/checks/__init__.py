"""CHECK: whether a database is whole, and whether what it tells can be.

`damaged` is what no import leaves behind: the file was harmed, or written by something else. `odd`
is what cannot have happened as it stands, or is no longer what the files say. A `note` is what one
should know before trusting an answer, and what a run that broke is expected to show.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from dnpcsql.checks import cycles, files, rows, tables
from dnpcsql.checks.finding import DAMAGED, LEVELS, NOTE, ODD, Finding

if TYPE_CHECKING:
    from dnpcsql.store import Store

__all__ = ["DAMAGED", "LEVELS", "NOTE", "ODD", "Finding", "check"]

_CHECKS: tuple[Callable[[sqlite3.Connection], Iterable[Finding]], ...] = (
    tables.integrity,
    tables.schema,
    tables.views,
    rows.found,
    cycles.found,
    files.found,
)


def check(store: Store) -> list[Finding]:
    """All that is to be said of a database, the worst first; nothing if all is well.

    Reads all of it once or twice. Raises NotFoundError, NotOursError or LockedError if it cannot
    be opened.
    """
    connection = store.reading()
    found: list[Finding] = []
    for look in _CHECKS:
        try:
            found += look(connection)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            found.append(Finding(DAMAGED, "parts that cannot be read", 1, (str(error),)))
    return sorted(found, key=lambda one: LEVELS.index(one.level))
