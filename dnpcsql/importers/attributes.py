"""Attributes as JSON text: what says nothing is left out."""

from __future__ import annotations

import json
from collections.abc import Mapping

# json.dumps makes an encoder anew with each call that has options. Nothing here holds itself.
encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False).encode


def to_json(values: Mapping[str, object], longest: int | None = None) -> str | None:
    """A JSON object of the values that are not None, texts cut after `longest` characters."""
    said = {
        name: value[:longest] if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }
    return encode(said) if said else None
