"""Rows of an export of AWS CloudWatch Logs: JSON of every kind that its tools write, and CSV.

    {"status": "Complete", "results": [[{"field": "@timestamp", "value": "2022-08-03 11:26:38.130"},
      {"field": "@message", "value": "{\\"log\\":\\"{…}\\"}"}, {"field": "@ptr", "value": "…"}], …]}

is what `aws logs get-query-results` gives; `[{"@timestamp": …, "@message": …}]` what Insights'
"Export results (JSON)" does; `{"events": [{"timestamp": 1659525998130, "message": …}]}` is
`aws logs filter-log-events`. As CSV the console writes `@timestamp,@message` (Insights) or
`timestamp,message` (log events, milliseconds).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from dnpcsql.importers.json_stream import WINDOW, MalformedError, Pull
from dnpcsql.importers.text import LINE_LIMIT
from dnpcsql.importers.unpacked import opened
from dnpcsql.records import Problem


class Row(NamedTuple):
    """An event of the log: where it stands in the export, when it came in, what it says."""

    line: int
    timestamp: str | None
    message: Any


def rows(path: Path) -> Iterator[Row | Problem]:
    """All rows of an export, and what is wrong with it, in its order."""
    with opened(path) as file:
        first = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        file.seek(0)
        if first[:1] in (b"{", b"["):
            yield from _json_rows(Pull(file.fileno()))
        else:
            yield from _csv_rows(file)


def _json_rows(pull: Pull) -> Iterator[Row | Problem]:
    """One or several documents; a row's place is its ordinal."""
    places = _Places()
    while pull.peek():
        try:
            if pull.peek() == "[":
                yield from _elements(pull, places)
            else:
                for key in pull.members():
                    if key in ("results", "events"):
                        yield from _elements(pull, places)
                    elif key == "status":
                        status = pull.value(WINDOW)
                        if status != "Complete":
                            text = f"the query was {status!s:.50}: there may be more rows"
                            yield Problem(None, "not all results", text)
                    else:
                        pull.skip()
        except MalformedError as error:
            yield Problem(places.last, "malformed JSON", str(error))
            if not pull.next_document():
                return


class _Places:
    """Counts the rows of all documents of a file."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        self.last += 1
        return self.last


def _elements(pull: Pull, places: _Places) -> Iterator[Row | Problem]:
    if pull.peek() != "[":
        pull.skip()
        return
    for _ in pull.elements():
        value, place = pull.value(WINDOW), places.next()
        if isinstance(value, list):
            pairs = [pair for pair in value if isinstance(pair, dict)]
            value = {str(pair.get("field")): pair.get("value") for pair in pairs}
        if isinstance(value, dict):
            yield _row(place, value)
        else:
            yield Problem(place, "no row", str(value)[:100])


def _row(place: int, fields: dict[str, Any]) -> Row:
    timestamp = fields.get("@timestamp", fields.get("timestamp"))
    # An Insights query may have taken the message apart: then its fields are the message.
    message = fields.get("@message", fields.get("message", fields))
    if "task_id" in fields and "@message" not in fields:
        message = fields
    return Row(place, None if timestamp is None else str(timestamp), message)


def _csv_rows(file: IO[bytes]) -> Iterator[Row | Problem]:
    cut: list[int] = []
    reader = csv.reader(_text_lines(file, cut), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Problem(line, "malformed CSV", str(error))
            continue
        for number in cut:
            yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
        cut.clear()
        if cells is None:
            return
        if header is None:
            header = [cell.strip() for cell in cells]
        elif cells and len(cells) != len(header):
            text = f"{len(cells)} cells where there are {len(header)} columns"
            yield Problem(line, "malformed CSV", text)
        elif cells:
            yield _row(line, dict(zip(header, cells, strict=True)))


def _text_lines(file: IO[bytes], cut: list[int]) -> Iterator[str]:
    """Lines with their ends; long ones are cut, so that no file can fill the memory."""
    number = 0
    while line := file.readline(LINE_LIMIT):
        number += 1
        if not line.endswith(b"\n") and len(line) == LINE_LIMIT:
            cut.append(number)
            while (rest := file.readline(LINE_LIMIT)) and not rest.endswith(b"\n"):
                pass
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", "replace")
        yield text.replace("\0", "\ufffd")
