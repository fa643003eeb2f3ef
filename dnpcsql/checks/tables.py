"""Whether the file is whole, and its tables, indexes and views are those of this release."""

from __future__ import annotations

import sqlite3

from dnpcsql import database
from dnpcsql.checks.finding import DAMAGED, NOTE, Finding, counted, query

_AGAIN = "dnpcsql --db NEW.sqlite3 import PATH"


def integrity(connection: sqlite3.Connection) -> list[Finding]:
    """What SQLite itself says: pages, rows against indexes, CHECK and NOT NULL."""
    said = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
    return counted(DAMAGED, "faults that SQLite's integrity_check finds", said, _AGAIN)


def schema(connection: sqlite3.Connection) -> list[Finding]:
    """Tables and indexes that are missing or other than schema.py says. Own ones do no harm."""
    there = _declared(connection)
    fresh = sqlite3.connect(":memory:")
    fresh.executescript(database.sql_files("dnpcsql")["schema"])
    ours = _declared(fresh)
    fresh.close()
    wrong = [
        f"{name}: {'missing' if name not in there else 'declared otherwise'}"
        for name, text in ours.items()
        if there.get(name) != text
    ]
    show = query("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index')")
    return counted(DAMAGED, "tables and indexes that are not as they should be", wrong, show)


def views(connection: sqlite3.Connection) -> list[Finding]:
    """Views of another release. The next import brings ours."""
    stale = database.stale_views(connection)
    return counted(NOTE, "views of another release of dnpcsql", sorted(stale), "dnpcsql views")


def _declared(connection: sqlite3.Connection) -> dict[str, str]:
    """{name: its statement, white space aside}."""
    return {
        name: " ".join(text.split())
        for name, text in connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') "
            "AND sql IS NOT NULL"
        )
    }
