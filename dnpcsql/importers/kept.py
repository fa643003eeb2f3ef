"""What an importer has to remember of each of many things: on disk, not in memory."""

from __future__ import annotations

import sqlite3


class Kept:
    """Texts by key. SQLite keeps them in a file of its own as soon as they are many."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute(
            "CREATE TABLE kept (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"
        )

    def __getitem__(self, key: str) -> str | None:
        row = self._connection.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def __setitem__(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, value))

    def close(self) -> None:
        """The file goes."""
        self._connection.close()
