"""Halves of characters: JSON and pickle can write them, UTF-8 and so SQLite cannot."""

from __future__ import annotations

from typing import Any


def mended(value: Any) -> Any:
    """A text with � in the place of such halves; anything else as it is.

    >>> mended("a\\ud800") == "a" + 3 * "\\N{REPLACEMENT CHARACTER}"
    True
    """
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
