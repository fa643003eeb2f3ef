"""dnpcsql: where did my time go?

import dnpcsql
store = dnpcsql.open("dnpc.sqlite3")
store.import_("runinfo")
store.query("SELECT app, avg(returned - invoked) FROM parsl_task GROUP BY app").all()
"""

from __future__ import annotations

import os

from dnpcsql.errors import DnpcsqlError
from dnpcsql.query import Result
from dnpcsql.records import (
    Containment,
    Event,
    Facet,
    Link,
    Problem,
    Record,
    Resource,
    Sample,
    Scope,
    Span,
    Tally,
)
from dnpcsql.store import Store

__version__ = "0.1.0"

__all__ = [
    "Containment",
    "DnpcsqlError",
    "Event",
    "Facet",
    "Link",
    "Problem",
    "Record",
    "Resource",
    "Result",
    "Sample",
    "Scope",
    "Span",
    "Store",
    "Tally",
    "open",
]


def open(path: str | os.PathLike[str] | None = None) -> Store:  # noqa: A001
    """The store in a file; $DNPCSQL_DB, else ./dnpc.sqlite3, if none is named."""
    return Store(path)
