"""Rows to stdout, in the format that is asked for; values that cannot harm a terminal."""

from __future__ import annotations

import csv
import itertools
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from dnpcsql.query import unique

_WIDEST = 100
_LOOKED_AT = 1_000

_FORMATS = ["table", "csv", "tsv", "json", "jsonl"]

format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(_FORMATS),
    default="table",
    show_default=True,
    help="How rows are written.",
)


text_or_rows_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", *_FORMATS]),
    default="text",
    show_default=True,
    help="For people, or all of it as rows.",
)


def write_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], format_: str) -> None:
    """Write rows as they come."""
    _WRITERS[format_](columns, rows)


def plain(value: Any) -> str:
    """A value as text that changes nothing in a terminal."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, float):
        return format(value, ".6f").rstrip("0").rstrip(".")
    text = str(value)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, indent: str = "") -> list[str]:
    """Lines of aligned columns, numbers to the right; the first thousand rows set the widths."""
    return list(_table(columns, rows, indent))


def seconds(value: float | None) -> str:
    """A duration for people: `0.004 s`, `14.2 s`, `6 min 12 s`, `2 h 5 min`."""
    if value is None:
        return "-"
    if abs(value) < 10:
        return f"{value:.3f} s"
    if abs(value) < 120:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]], indent: str) -> Iterable[str]:
    remaining = iter(rows)
    shown = [[plain(value) for value in row] for row in itertools.islice(remaining, _LOOKED_AT)]
    sample = shown or [[]]
    widths = [
        min(_WIDEST, max(len(name), *(len(row[place]) for row in shown))) if shown else len(name)
        for place, name in enumerate(columns)
    ]
    right = [
        bool(shown) and all(_numeric(row[place]) for row in sample) for place in range(len(columns))
    ]

    def line(cells: Sequence[str]) -> str:
        parts = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        )
        return (indent + "  ".join(parts)).rstrip()

    yield line(columns)
    for row in shown:
        yield line(row)
    for values in remaining:
        yield line([plain(value) for value in values])


def _numeric(text: str) -> bool:
    return not text or text.lstrip("-").replace(".", "", 1).isdecimal()


def _write_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    for line in _table(columns, rows, ""):
        click.echo(line)


def _write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], delimiter: str) -> None:
    writer = csv.writer(sys.stdout, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _write_json(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    names = unique(columns)
    separator = "[\n"
    for row in rows:
        sys.stdout.write(separator + _object(names, row))
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")


def _write_jsonl(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    names = unique(columns)
    for row in rows:
        sys.stdout.write(_object(names, row) + "\n")


def _object(names: Sequence[str], row: Sequence[Any]) -> str:
    values = dict(zip(names, map(_finite, row), strict=True))
    return json.dumps(values, ensure_ascii=False, default=plain, allow_nan=False)


def _finite(value: Any) -> Any:
    """JSON has no infinity: protobuf's JSON, and so OTLP's, writes it as this text."""
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


_WRITERS: dict[str, Callable[[Sequence[str], Iterable[Sequence[Any]]], None]] = {
    "table": _write_table,
    "csv": lambda columns, rows: _write_csv(columns, rows, ","),
    "tsv": lambda columns, rows: _write_csv(columns, rows, "\t"),
    "json": _write_json,
    "jsonl": _write_jsonl,
}
