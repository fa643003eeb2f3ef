"""Ask: SQL in, rows out, read-only."""

from __future__ import annotations

import difflib
import html
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from dnpcsql.errors import QueryError

if TYPE_CHECKING:
    import numpy
    import pandas

Row: TypeAlias = tuple[Any, ...]

_NAME = re.compile(r"[A-Za-z_]\w*")
_SHOWN = 20
_WIDEST = 200


class Result:
    """Rows as they are fetched. Iterate once, or take `.all()`, `.df()`, `.arrays()`, …"""

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
        """All rows, {column: value}; of columns that share a name the second is `name_2`."""
        names = unique(self.columns)
        return [dict(zip(names, row, strict=True)) for row in self.all()]

    def arrays(self) -> dict[str, numpy.ndarray[Any, Any]]:
        """All rows as numpy arrays, {column: array}, each as long as there are rows.

        Whole numbers are int64, so that nanoseconds stay exact; where some are NULL the array is
        masked there, for nan would make floats of them. Other numbers are float64, with nan for
        NULL. Anything else is of objects.
        """
        names = unique(self.columns)
        rows = self.all()
        columns = zip(*rows, strict=True) if rows else ((),) * len(names)
        return {name: _array(values) for name, values in zip(names, columns, strict=True)}

    def df(self) -> pandas.DataFrame:
        """All rows as a pandas DataFrame (`pip install 'dnpcsql[pandas]'`).

        A column of whole numbers of which some are NULL is `Int64`, with `<NA>` for these: as
        floats, which pandas would make of them, nanoseconds are off by up to 128.
        """
        try:
            import pandas
        except ModuleNotFoundError:
            raise QueryError("no pandas here: pip install 'dnpcsql[pandas]'") from None
        rows = self.all()
        frame = pandas.DataFrame(rows, columns=unique(self.columns))
        for place, name in enumerate(frame.columns):
            if _whole_with_gaps([row[place] for row in rows]):
                frame[name] = pandas.array([row[place] for row in rows], dtype="Int64")
        return frame

    def _repr_html_(self) -> str:
        rows = self.all()
        more = f"<p>{len(rows):,} rows</p>" if len(rows) > _SHOWN else ""
        return html_table(self.columns, rows[:_SHOWN]) + more


def html_table(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Rows as a table for a notebook; nothing that they hold is taken for HTML."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def unique(names: Sequence[str]) -> list[str]:
    """Names that differ, in the same order: of equal ones the second is `name_2`.

    >>> unique(["type", "type", "line"])
    ['type', 'type_2', 'line']
    """
    found: dict[str, None] = {}
    taken = set(names)
    for name in names:
        new, number = name, 1
        while new in found or (number > 1 and new in taken):
            number += 1
            new = f"{name}_{number}"
        found[new] = None
    return list(found)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
    return html.escape(text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…")


def _array(values: Sequence[Any]) -> numpy.ndarray[Any, Any]:
    import numpy

    known = {type(value) for value in values}
    if known and known <= {int}:
        return numpy.array(values, dtype=numpy.int64)
    if known == {int, type(None)}:
        mask = [value is None for value in values]
        filled = [0 if value is None else value for value in values]
        masked: numpy.ndarray[Any, Any] = numpy.ma.masked_array(
            numpy.array(filled, dtype=numpy.int64), mask
        )
        return masked
    if known <= {int, float, type(None)} and float in known:
        return numpy.array(values, dtype=numpy.float64)
    array = numpy.empty(len(values), dtype=object)
    array[:] = values
    return array


def _whole_with_gaps(values: Sequence[Any]) -> bool:
    return {type(value) for value in values} == {int, type(None)}


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
