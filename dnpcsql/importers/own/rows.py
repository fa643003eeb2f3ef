"""The lines of a file of one's own, and the fields that they have before any rule is asked."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from dnpcsql.importers.own.definition import Definition
from dnpcsql.importers.text import LINE_LIMIT, Lines, shape
from dnpcsql.records import Problem

_DEEPEST = 8  # objects within objects
_decode = json.JSONDecoder(parse_float=Decimal, parse_constant=lambda _: None).decode


class Row(NamedTuple):
    """A line: where, as text, and its fields; `kind` is what it is counted as if no rule fits."""

    line: int
    text: str
    fields: dict[str, Any]
    kind: str | None = None


class Rows:
    """The rows of a file, and problems, in its order."""

    def __init__(self, definition: Definition, path: Path) -> None:
        self._definition = definition
        self._path = path
        self.lines = Lines(path)

    def __iter__(self) -> Iterator[Row | Problem]:
        """Raises UnreadableError if a table lacks a column that a rule names."""
        match self._definition.format:
            case "text":
                yield from self._text()
            case "jsonl":
                yield from self._json()
            case _:
                yield from self._table()
        for number in self.lines.cut:
            yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
        if self.lines.torn is not None:
            yield Problem(self.lines.count, "torn record", f"no end of line: {self.lines.torn}")

    def _text(self) -> Iterator[Row]:
        for number, line in enumerate(self.lines, 1):
            if line and not line.isspace():
                yield Row(number, line.lstrip("\ufeff") if number == 1 else line, {})

    def _json(self) -> Iterator[Row | Problem]:
        for number, line in enumerate(self.lines, 1):
            if not line or line.isspace():
                continue
            try:
                value = _decode(line.lstrip("\ufeff"))
            except (ValueError, RecursionError):
                yield Problem(number, "no JSON", shape(line))
                continue
            if not isinstance(value, dict):
                yield Problem(number, "no JSON object", shape(line))
                continue
            fields: dict[str, Any] = {}
            _flatten(value, "", fields, _DEEPEST)
            if "\\ud" in line.lower():
                fields = {_clean(name): _clean(value) for name, value in fields.items()}
            yield Row(number, line, fields, f"{{{', '.join(fields)}}}")

    def _table(self) -> Iterator[Row | Problem]:
        reader = csv.reader(
            (line + "\n" for line in self.lines), delimiter=self._definition.delimiter
        )
        columns = list(self._definition.columns)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Problem(reader.line_num, "row not understood", str(error))
                continue
            if not columns:
                columns = [cell.strip() for cell in cells]
                columns[:1] = [name.lstrip("\ufeff") for name in columns[:1]]
                self._definition.check_fields(frozenset(columns), f"{self._path} has")
            elif len(cells) == len(columns):
                values = map(str.strip, cells)
                row = dict(zip(columns, values, strict=True))
                yield Row(reader.line_num, cells[0], row, "a row that no [[span]] is for")
            elif any(cells):
                if cells[0].startswith(self._definition.ignore or "\0"):
                    yield Row(reader.line_num, cells[0], {})
                    continue
                text = f"{len(cells)} cells where there are {len(columns)} columns"
                yield Problem(reader.line_num, "row of another length", text)


def _flatten(value: dict[str, Any], before: str, fields: dict[str, Any], depth: int) -> None:
    """`{"a": {"b": 1}}` has the field `a.b`; a list is a field, as JSON text."""
    for name, inner in value.items():
        if isinstance(inner, dict) and depth:
            _flatten(inner, f"{before}{name}.", fields, depth - 1)
        elif isinstance(inner, dict | list):
            fields[before + name] = json.dumps(inner, ensure_ascii=False, default=str)
        else:
            fields[before + name] = inner


def _clean(value: Any) -> Any:
    """Without the halves of surrogate pairs, which no database takes."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")
