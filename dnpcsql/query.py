"""Ask: SQL in, rows out, read-only."""

from __future__ import annotations

import difflib
import html
import re
import sqlite3
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from dnpcsql.errors import QueryError

if TYPE_CHECKING:
    import pandas

Row: TypeAlias = tuple[Any, ...]

_NAME = re.compile(r"[A-Za-z_]\w*")
_SHOWN = 20


class Result:
    """Rows as they are fetched. Iterate once, or take `.all()`, `.df()`, `.value()`."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self._kept: list[Row] | None = None
        self.columns = [column[0] for column in cursor.description or ()]

    def __iter__(self) -> Iterator[Row]:
        if self._kept is not None:
            return iter(self._kept)
        return _telling(self._cursor)

    def all(self) -> list[Row]:
        """All rows; may be asked again."""
        if self._kept is None:
            self._kept = list(_telling(self._cursor))
        return self._kept

    def value(self) -> Any:
        """The first column of the first row; None if there is no row."""
        rows = self.all()
        return rows[0][0] if rows else None

    def dicts(self) -> list[dict[str, Any]]:
        """All rows, {column: value}."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.all()]

    def df(self) -> pandas.DataFrame:
        """All rows as a pandas DataFrame (`pip install 'dnpcsql[pandas]'`)."""
        try:
            import pandas
        except ModuleNotFoundError:
            raise QueryError("no pandas here: pip install 'dnpcsql[pandas]'") from None
        return pandas.DataFrame(self.all(), columns=self.columns)

    def _repr_html_(self) -> str:
        rows = self.all()
        cells = [
            "<tr>" + "".join(f"<td>{html.escape(str(value))}</td>" for value in row) + "</tr>"
            for row in rows[:_SHOWN]
        ]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        more = f"<p>{len(rows)} rows</p>" if len(rows) > _SHOWN else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(cells)}</tbody></table>{more}"


def run_query(connection: sqlite3.Connection, sql: str, values: Mapping[str, object]) -> Result:
    """Run SQL, or `SELECT *` of the view or table so named, with `:name` bound from `values`."""
    if _NAME.fullmatch(sql.strip()):
        sql = f'SELECT * FROM "{sql.strip()}"'
    writing = connection.execute("PRAGMA query_only").fetchone()[0] == 0
    try:
        if writing:
            connection.execute("PRAGMA query_only = 1")
        result = Result(connection.execute(sql, dict(values)))
        if writing:
            result.all()  # a statement ends where the PRAGMA changes
    except (sqlite3.Error, sqlite3.Warning, OverflowError, ValueError) as error:
        raise QueryError(_advice(connection, error)) from None
    finally:
        if writing:
            connection.execute("PRAGMA query_only = 0")
    return result


def _telling(cursor: sqlite3.Cursor) -> Iterator[Row]:
    try:
        yield from cursor
    except sqlite3.Error as error:
        raise QueryError(str(error)) from None


def _advice(connection: sqlite3.Connection, error: Exception) -> str:
    """SQLite's message, and the nearest name where a name is not known."""
    text = str(error)
    unknown = re.fullmatch(r"no such (table|column): (\S+)", text)
    if unknown is None:
        if "binding" in text.lower() or "parameter" in text.lower():
            return f"{text} (give it by --param name=value)"
        if "readonly" in text or "query_only" in text:
            return f"{text}: queries only read"
        return text
    known = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if unknown[1] == "column":
        known = {
            column
            for (column,) in connection.execute(
                "SELECT DISTINCT info.name FROM sqlite_master, "
                "pragma_table_xinfo(sqlite_master.name) AS info"
            )
        }
    asked = unknown[2].rpartition(".")[2]
    near = difflib.get_close_matches(asked, sorted(known - {asked}), 1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{text} ({meant}`dnpcsql views` lists them)"
