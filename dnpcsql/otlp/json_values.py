"""The values of OTLP/JSON, both ways; reading takes what real exporters write."""

from __future__ import annotations

import base64
import math
from typing import Any, TypeAlias

from dnpcsql.otlp.attributes import Value, fits, from_text
from dnpcsql.otlp.incoming import Incoming

Json: TypeAlias = dict[str, Any]

KINDS = {
    f"SPAN_KIND_{name}": number
    for number, name in enumerate(
        ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
    )
}
STATUS_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}

_INT32 = 1 << 31


# --- decode


def text_of(message: Json, key: str, incoming: Incoming) -> str:
    """A field of text; missing or null is empty."""
    value = message.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        incoming.tell("not text", f"{key}: {value!r}")
        return str(value)
    return value


def items(message: Json, key: str, incoming: Incoming) -> list[Any]:
    """A field that is a list; missing or null is empty."""
    value = message.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        incoming.tell("not a list", f"{key}: {str(value)[:100]}")
        return []
    return value


def uint64(message: Json, key: str) -> int:
    """A time: text or number; missing is 0. Raises ValueError if it is no whole number."""
    value = message.get(key)
    return 0 if value is None else _whole(value)


def uint32(message: Json, key: str, incoming: Incoming) -> int:
    """A count or flags. Some exporters write -1, which stays what it is in 32 bits."""
    value = message.get(key)
    if not value:
        return 0
    number = _whole(value)
    if not 0 <= number < 1 << 32:
        incoming.tell("count out of range", f"{key}: {number}")
    return number % (1 << 32)


def enumerated(message: Json, key: str, names: dict[str, int], incoming: Incoming) -> int:
    """An enum's number, or its name, which OTLP/JSON must not use and some do."""
    value = message.get(key)
    if value is None:
        return 0
    if isinstance(value, str) and value in names:
        incoming.tell("enum by name", f"{key}: {value}")
        return names[value]
    number = _whole(value)
    if not -_INT32 <= number < _INT32:
        raise ValueError(f"{key}: {number}")
    return number


def decode_attributes(pairs: Any, incoming: Incoming) -> dict[str, Value]:
    """Attributes by their keys."""
    if not pairs:
        return {}
    if not isinstance(pairs, list):
        incoming.tell("not a list", f"attributes: {str(pairs)[:100]}")
        return {}
    values: dict[str, Value] = {}
    for pair in pairs:
        if not isinstance(pair, dict):
            incoming.tell("attribute not understood", str(pair)[:100])
            continue
        key = text_of(pair, "key", incoming)
        if key in values:
            incoming.tell("key told twice", f"the last is kept: {key}")
        values[key] = decode_value(pair.get("value"), incoming)
    return values


def decode_value(message: Any, incoming: Incoming) -> Value:
    """One value; what is no value of its kind is kept as text, with a problem."""
    if not message:
        return None
    if not isinstance(message, dict):
        incoming.tell("value not understood", str(message)[:100])
        return str(message)
    if "stringValue" in message:
        return text_of(message, "stringValue", incoming)
    for kind, read in _READ.items():
        if kind in message and message[kind] is not None:
            value = message[kind]
            try:
                return read(value, incoming)
            except (TypeError, ValueError, OverflowError, AttributeError):
                incoming.tell("value not understood", f"{kind}: {str(value)[:100]}")
                return str(value)
    return None


def _integer(value: Any, _: Incoming) -> int:
    number = _whole(value)
    if not fits(number):
        raise ValueError(number)
    return number


def _double(value: Any, _: Incoming) -> float:
    return float(value)


def _boolean(value: Any, _: Incoming) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _bytes(value: Any, _: Incoming) -> bytes:
    text = str(value).replace("-", "+").replace("_", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _array(value: Any, incoming: Incoming) -> list[Value]:
    return [decode_value(item, incoming) for item in value.get("values") or ()]


def _kvlist(value: Any, incoming: Incoming) -> dict[str, Value]:
    return decode_attributes(value.get("values"), incoming)


_READ = {
    "intValue": _integer,
    "boolValue": _boolean,
    "doubleValue": _double,
    "arrayValue": _array,
    "kvlistValue": _kvlist,
    "bytesValue": _bytes,
}


def _whole(value: Any) -> int:
    """A whole number from text or number. Raises ValueError or TypeError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(f"not a number: {value!r}")
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError(f"not a whole number: {value!r}")
        return int(value)
    if isinstance(value, str) and not value.lstrip("-").isdecimal():
        return _whole(float(value))
    return int(value)


# --- encode


def encode_attributes(text: str | None) -> list[Json]:
    """Key and value of each attribute."""
    return [{"key": key, "value": encode_value(value)} for key, value in from_text(text).items()]


def encode_value(value: Value) -> Json:
    """One value."""
    match value:
        case None:
            return {}
        case str():
            return {"stringValue": value}
        case bool():
            return {"boolValue": value}
        case int() if fits(value):
            return {"intValue": str(value)}
        case int():
            return {"stringValue": str(value)}
        case float():
            return {"doubleValue": value if math.isfinite(value) else _not_finite(value)}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case list():
            return {"arrayValue": {"values": [encode_value(item) for item in value]}}
        case _:
            pairs = [{"key": key, "value": encode_value(item)} for key, item in value.items()]
            return {"kvlistValue": {"values": pairs}}


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
