"""Only the spans that a condition on otlp_span chooses, each below its nearest chosen ancestor."""

from __future__ import annotations

import sqlite3

from dnpcsql.errors import QueryError


class Choice:
    """Of the spans of one run (the run part of its ids), or of all."""

    def __init__(self, connection: sqlite3.Connection, where: str, run: str = "") -> None:
        """Raises QueryError for a condition that SQLite does not take."""
        self._chosen: set[str] = set()
        self._parents: dict[str, str | None] = {}
        try:
            # Of a WHERE SQLite says if it counts all rows together (count(*) > 0).
            connection.execute(f"EXPLAIN SELECT 1 FROM otlp_span WHERE ({where}\n)")
            for uuid, parent, yes in connection.execute(
                f"SELECT uuid, parent_uuid, ({where}\n) FROM otlp_span "
                "WHERE account_uuid BETWEEN ? AND ?",
                (run, run + "g"),
            ):
                self._parents[uuid] = parent
                if yes:
                    self._chosen.add(uuid)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise QueryError(
                f"--where {where}: {error} (`dnpcsql views otlp_span` lists the columns)"
            ) from None

    def __contains__(self, uuid: str) -> bool:
        return uuid in self._chosen

    def parent(self, uuid: str) -> str | None:
        """The nearest ancestor that is chosen."""
        seen = set()
        found = self._parents.get(uuid)
        while found is not None and found not in self._chosen and found not in seen:
            seen.add(found)
            found = self._parents.get(found)
        return found if found in self._chosen else None
