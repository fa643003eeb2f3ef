"""Draws docs/jaeger.svg: the first rows of a trace, from what Jaeger's API answers.

docker compose up -d && dnpcsql import examples/runinfo.tar.xz && dnpcsql export otlp last
curl -s http://127.0.0.1:16686/api/v3/traces/TRACE_ID |
  python docs/draw_jaeger.py > docs/jaeger.svg
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

ROWS = 30
WIDTH, NAMES, ROW, TOP = 960, 330, 18, 58
COLOURS = ["#17b8be", "#b7885e", "#ffcb99", "#829ae3", "#e79fd5", "#89dac1"]


class Row(NamedTuple):
    """A span as it is shown."""

    depth: int
    service: str
    name: str
    start: int
    end: int
    is_error: bool


def rows(answer: dict[str, Any]) -> list[Row]:
    """All spans, each below its parent, by their starts."""
    children: dict[str | None, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for resource_spans in answer["result"]["resourceSpans"]:
        attributes = resource_spans["resource"]["attributes"]
        named = {pair["key"]: pair["value"].get("stringValue", "") for pair in attributes}
        for part in resource_spans["scopeSpans"]:
            for span in part["spans"]:
                children[span.get("parentSpanId")].append((named["service.name"], span))

    def below(parent: str | None, depth: int) -> Iterator[Row]:
        for service, span in sorted(children[parent], key=lambda it: it[1]["startTimeUnixNano"]):
            start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
            is_error = span.get("status", {}).get("code") == 2
            yield Row(depth, service, span["name"], start, end, is_error)
            yield from below(span["spanId"], depth + 1)

    return list(below(None, 0))


def svg(all_rows: list[Row]) -> str:
    """The picture."""
    shown = all_rows[:ROWS]
    first = min(row.start for row in all_rows)
    length = max(row.end for row in all_rows) - first
    services = sorted({row.service for row in all_rows})
    colours = dict(zip(services, COLOURS, strict=False))
    height = TOP + ROW * len(shown) + 34
    scale = (WIDTH - NAMES - 70) / length
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="Helvetica, Arial, sans-serif" font-size="11">'
        ),
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _text(12, 20, f"{shown[0].service}: {shown[0].name}", 'font-size="14" font-weight="bold"'),
        _text(
            12,
            38,
            f"Duration {length / 1e9:.1f}s · Services {len(services)} · "
            f"Total Spans {len(all_rows):,}",
            'fill="#666"',
        ),
    ]
    for quarter in range(5):
        x = NAMES + scale * length * quarter / 4
        parts.append(_text(x, TOP - 6, f"{length / 1e9 * quarter / 4:.1f}s", 'fill="#666"'))
        parts.append(f'<path d="M{x:.1f} {TOP} V{height - 30}" stroke="#ddd"/>')
    for number, row in enumerate(shown):
        y = TOP + ROW * number
        indent = 12 + 12 * row.depth
        x, width = NAMES + scale * (row.start - first), scale * (row.end - row.start)
        colour = colours[row.service]
        label = escape(row.service), escape(row.name)
        parts += [
            f'<rect x="{indent}" y="{y + 2}" width="3" height="{ROW - 4}" fill="{colour}"/>',
            (
                f'<text x="{indent + 8}" y="{y + 13}"><tspan font-weight="bold">{label[0]}</tspan> '
                f'<tspan fill="#666">{label[1]}</tspan></text>'
            ),
            (
                f'<rect x="{x:.1f}" y="{y + 4}" width="{max(width, 1):.1f}" height="{ROW - 8}" '
                f'rx="2" fill="{"#db2828" if row.is_error else colour}"/>'
            ),
            _text(x + width + 4, y + 13, f"{(row.end - row.start) / 1e9:.2f}s", 'fill="#666"'),
        ]
    note = "Drawn from what Jaeger's API answers, in the manner of its page; not a screenshot."
    parts += [_text(12, height - 12, note, 'fill="#666" font-style="italic"'), "</svg>"]
    return "\n".join(parts)


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" {style}>{escape(text)}</text>'


if __name__ == "__main__":
    print(svg(rows(json.load(sys.stdin))))
