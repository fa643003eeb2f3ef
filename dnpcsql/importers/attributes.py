"""Attributes as JSON text: what says nothing is left out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

# json.dumps makes an encoder anew with each call that has options. Nothing here holds itself.
encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False).encode


def to_json(values: Mapping[str, object], longest: int | None = None) -> str | None:
    """A JSON object of the values that are not None, texts cut after `longest` characters."""
    said = {
        name: value[:longest] if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }
    try:
        return encode(said) if said else None
    except ValueError:
        return encode(_finite(said))


def _finite(value: Any) -> Any:
    """JSON has no infinity, though its numbers may be read as one: as text it stays visible."""
    match value:
        case float():
            return value if math.isfinite(value) else str(value)
        case dict():
            return {name: _finite(one) for name, one in value.items()}
        case list() | tuple():
            return [_finite(one) for one in value]
    return value
