"""What Jaeger's and Zipkin's tags say in OpenTelemetry's name, as its exporters write it."""

from __future__ import annotations

from typing import NamedTuple

from dnpcsql.otlp.attributes import Value, to_text
from dnpcsql.otlp.incoming import scope
from dnpcsql.records import Scope

_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_STATUS = {"UNSET": 0, "OK": 1, "ERROR": 2}


class Tagged(NamedTuple):
    """Fields of a span that its tags say."""

    kind: int
    status_code: int | None
    status_message: str | None
    trace_state: str | None
    scope: Scope
    attributes: str | None


def read_tags(values: dict[str, Value]) -> Tagged:
    """Take from tags what is a field of its own; the rest are attributes."""
    kind = _taken(values, "span.kind", _KINDS)
    status = _taken(values, "otel.status_code", _STATUS)
    error = values.get("error")
    if status == 2 and error in (True, "true"):
        del values["error"]
    elif status is None and error is not None and error not in (False, "false"):
        status = 2
    made = scope(
        _text(values, "otel.scope.name") or _text(values, "otel.library.name") or "",
        _text(values, "otel.scope.version") or _text(values, "otel.library.version") or "",
        None,
        "",
        0,
    )
    return Tagged(
        kind or 0,
        status,
        _text(values, "otel.status_description"),
        _text(values, "w3c.tracestate"),
        made,
        to_text(values),
    )


def _taken(values: dict[str, Value], key: str, names: dict[str, int]) -> int | None:
    """The number of a name; a name that is not known stays an attribute."""
    value = values.get(key)
    number = names.get(value) if isinstance(value, str) else None
    if number is not None:
        del values[key]
    return number


def _text(values: dict[str, Value], key: str) -> str | None:
    return values.pop(key) if isinstance(values.get(key), str) else None
