"""Resources as Work Queue and TaskVine write them: `{"memory":[500,"MB"],"cores":[1,"cores"]}`."""

from __future__ import annotations

import functools
import json

_MOST = 100  # names in one object
_SHORT = 1_000  # characters of an object that is worth remembering
_LARGE = 1e300  # no number that counts or measures anything is larger


def resources(text: str, prefix: str) -> tuple[tuple[str, float], ...]:
    """Their numbers as attributes, the unit in the name: `prefix.memory_mb`, `prefix.cores`.

    ValueError for what is not such an object.
    """
    if text == "{}":
        return ()
    return _remembered(text, prefix) if len(text) < _SHORT else _read(text, prefix)


def _read(text: str, prefix: str) -> tuple[tuple[str, float], ...]:
    told = json.loads(text)
    if not isinstance(told, dict):
        raise ValueError(f"no resources: {text:.100}")
    found = []
    for name, value in list(told.items())[:_MOST]:
        number, unit = value if isinstance(value, list) and len(value) == 2 else (value, name)
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            continue  # limits that a category sets by words, peaks with times of their own
        if -_LARGE < number < _LARGE and isinstance(unit, str):
            suffix = "" if unit in ("", name) else f"_{unit.lower()}"
            found.append((f"{prefix}.{name}{suffix}", number))
    return tuple(found)


# Most tasks of a kind ask for the same, and are given the same.
_remembered = functools.lru_cache(maxsize=1_000)(_read)
