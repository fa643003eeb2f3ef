"""OTLP's typed values in protobuf, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from dnpcsql.otlp.attributes import Value, fits, from_text
from dnpcsql.otlp.incoming import Incoming


def decode_attributes(pairs: Sequence[KeyValue], incoming: Incoming) -> dict[str, Value]:
    """Attributes by their keys."""
    values: dict[str, Value] = {}
    for pair in pairs:
        value = pair.value
        values[pair.key] = value.string_value or _decode_value(
            value, value.WhichOneof("value"), incoming
        )
    if len(values) != len(pairs):
        incoming.tell("key told twice", "the last is kept: " + " ".join(p.key for p in pairs))
    return values


def _decode_value(message: AnyValue, kind: str | None, incoming: Incoming) -> Value:
    if kind is None:
        return None
    if kind == "array_value":
        return [
            _decode_value(item, item.WhichOneof("value"), incoming)
            for item in message.array_value.values
        ]
    if kind == "kvlist_value":
        return decode_attributes(message.kvlist_value.values, incoming)
    return getattr(message, kind)


def encode_attributes(text: str | None) -> list[KeyValue]:
    """Key and value of each attribute."""
    return [
        KeyValue(key=_utf8(key), value=encode_value(value))
        for key, value in from_text(text).items()
    ]


def encode_value(value: Value) -> AnyValue:
    """One value."""
    if value is None:
        return AnyValue()
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[encode_value(item) for item in value]))
    if isinstance(value, dict):
        pairs = [KeyValue(key=_utf8(key), value=encode_value(item)) for key, item in value.items()]
        return AnyValue(kvlist_value=KeyValueList(values=pairs))
    if isinstance(value, str):
        return AnyValue(string_value=_utf8(value))
    if isinstance(value, int) and not fits(value):
        return AnyValue(string_value=str(value))
    field: dict[str, Any] = {_FIELDS[type(value)]: value}
    return AnyValue(**field)


def _utf8(text: str) -> str:
    """Half of a surrogate pair, which JSON can tell and UTF-8 cannot, becomes a question mark."""
    return text.encode(errors="replace").decode()


_FIELDS: dict[type, str] = {
    bool: "bool_value",
    int: "int_value",
    float: "double_value",
    bytes: "bytes_value",
}
