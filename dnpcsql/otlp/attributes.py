"""OTLP's typed values as JSON text, and back, with nothing lost.

A value is here, in Python: str, bool, int (64 bits), float, bytes, a list, a dict, or None for
OTLP's empty value. What JSON lacks is written as an object of one key:

    {"$double": "NaN"}  {"$bytes": "base64"}  {"$empty": true}  {"$map": {"$bytes": "a real one"}}

A double always has a point or an exponent, so that SQL and the way back tell it from an integer.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""str | bool | int | float | bytes | None | list[Value] | dict[str, Value]; mypy has no recursion
here that would not cost a cast at every step."""

_MARKS = frozenset({"$double", "$bytes", "$empty", "$map"})
_EMPTY = {"$empty": True}

_INT64 = 1 << 63

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_make = getattr(json.encoder, "c_make_encoder", None)


def _made_once() -> Callable[[Any], str]:
    """The module's own encoder, made once and not with every call: twice as fast."""
    if _make is None:
        return _encoder.encode
    encode = _make(
        None, _encoder.default, json.encoder.encode_basestring, None, ":", ",", False, False, True
    )
    return lambda value: "".join(encode(value, 0))


_encode = _made_once()


def to_text(values: Mapping[str, Value]) -> str | None:
    """Attributes as a JSON object; NULL for none."""
    if not values:
        return None
    for value in values.values():
        kind = type(value)
        if kind not in _PLAIN and not (kind is float and math.isfinite(value)):
            return _encode({key: to_json(value) for key, value in values.items()})
    return _encode(values)


# What the json module writes as it is to be.
_PLAIN = frozenset({str, int, bool})


def to_json(value: Value) -> Any:
    """A value as something that JSON has."""
    if value is None:
        return _EMPTY
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$double": _not_finite(value)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        made = {key: to_json(item) for key, item in value.items()}
        return {"$map": made} if len(made) == 1 and not _MARKS.isdisjoint(made) else made
    return value


# What json.loads comes to where text begins with its brace, as ours does.
_decode: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # documented in json's source only


def from_text(text: str | None) -> dict[str, Value]:
    """The attributes that `to_text` wrote."""
    if text is None:
        return {}
    try:
        values, _ = _decode(text, 0)
    except StopIteration:
        values = json.loads(text)
    if text.find("{", 1) < 0 and "[" not in text:
        found: dict[str, Value] = values
        return found
    return {key: from_json(value) for key, value in values.items()}


def from_json(value: Any) -> Value:
    """The value that `to_json` wrote."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1:
            ((mark, inside),) = value.items()
            if mark == "$double":
                return float(inside)
            if mark == "$bytes":
                return base64.b64decode(inside)
            if mark == "$empty":
                return None
            if mark == "$map":
                value = inside
        return {key: from_json(item) for key, item in value.items()}
    return value


def fits(number: int) -> bool:
    """Whether OTLP has it as a number: in 64 bits. Larger ones leave as text."""
    return -_INT64 <= number < _INT64


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
