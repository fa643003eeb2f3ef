"""All regular expressions that importers use, and texts made to keep them busy."""

from __future__ import annotations

import importlib
import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

if sys.version_info >= (3, 11):
    from re import _constants as codes
    from re import _parser as parser
else:
    import sre_constants as codes
    import sre_parse as parser

# Run where nothing has been imported: every expression that is compiled is told of.
_COLLECT = """
import importlib, json, pkgutil, re, sys
inner, found = re._compile, {}
def telling(pattern, flags):
    made = inner(pattern, flags)
    frame = sys._getframe(2)
    module = frame.f_globals.get("__name__", "")
    if module.startswith("dnpcsql"):
        text = made.pattern
        binary = isinstance(text, bytes)
        key = (text.decode("latin-1") if binary else text, made.flags & ~re.UNICODE, binary)
        found.setdefault(key, module)
    return made
re._compile = telling
import dnpcsql
for module in pkgutil.walk_packages(dnpcsql.__path__, "dnpcsql."):
    if "__main__" not in module.name:
        importlib.import_module(module.name)
json.dump([[*key, module] for key, module in found.items()], sys.stdout)
"""


class Used(NamedTuple):
    """An expression, and the module that compiled it."""

    pattern: str
    flags: int
    binary: bool
    module: str

    def method(self) -> str:
        """How it is used: `search`, which begins at every character, or matched at the beginning.

        Told from the module's text by the expression's name there; of those without, that are
        matched as a table of wordings, `fullmatch`.
        """
        module = importlib.import_module(self.module)
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        mine = self.compiled()
        names = (
            "|".join(name for name, value in vars(module).items() if value is mine) or "_PATTERNS"
        )
        found = re.search(rf"\b(?:{names})(?:\[\w+\])?\.(?:search|sub|finditer|findall)\(", text)
        return "search" if found else "fullmatch"

    def compiled(self) -> re.Pattern[Any]:
        """The expression itself."""
        if self.binary:
            return re.compile(self.pattern.encode("latin-1"), self.flags)
        return re.compile(self.pattern, self.flags)


def all_patterns() -> list[Used]:
    """Those that are compiled when modules are loaded."""
    done = subprocess.run(
        [sys.executable, "-c", _COLLECT], check=True, capture_output=True, text=True
    )
    return [Used(*one) for one in json.loads(done.stdout)]


# Characters that parts of expressions tend to share.
_CHARACTERS = "a0 f.-:/\"'\\,;=[]{}()<>@_N\n\t"
_PUMPS = ("a", "0", " ", '"', "\\", "0.", "a ", "(")


def attacks(used: Used) -> Iterator[tuple[str, str, str]]:
    """(before, again and again, after): what makes each repetition of an expression run on, and
    then fail."""
    tree = parser.parse(used.pattern, used.flags)
    seen: set[tuple[str, str]] = set()
    for before, body in _repetitions(tree, ""):
        for pump in (body, *_PUMPS):
            if pump and (before, pump) not in seen:
                seen.add((before, pump))
                yield before, pump, "\0"


def _repetitions(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    """What stands before each repetition without an end, and an example of what it repeats."""
    for code, value in tree:
        for inner in _inner(code, value):
            yield from _repetitions(inner, before)
        if code in _REPEATS and value[1] > 200:
            yield before, _sample(value[2]) or "a"
        before += _sample([(code, value)])


_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT}
if sys.version_info >= (3, 11):
    _REPEATS.add(codes.POSSESSIVE_REPEAT)


def _inner(code: Any, value: Any) -> list[Any]:
    if code in _REPEATS:
        return [value[2]]
    if code == codes.SUBPATTERN:
        return [value[3]]
    if code == codes.BRANCH:
        return list(value[1])
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [value[1]]
    return []


def _sample(tree: Any) -> str:
    """A text that an expression matches, or nearly."""
    made = ""
    for code, value in tree:
        if code == codes.LITERAL:
            made += chr(value)
        elif code in (codes.IN, codes.NOT_LITERAL, codes.ANY):
            made += _character(code, value)
        elif code in _REPEATS:
            made += _sample(value[2]) * max(value[0], 1 if value[1] else 0)
        elif inner := _inner(code, value):
            made += "" if code in (codes.ASSERT, codes.ASSERT_NOT) else _sample(inner[0])
    return made


def _character(code: Any, value: Any) -> str:
    if code == codes.ANY:
        return "a"
    if code == codes.NOT_LITERAL:
        return "a" if value != ord("a") else "b"
    negated = value[0][0] == codes.NEGATE
    for one in _CHARACTERS:
        if any(_holds(part, one) for part in value) != negated:
            return one
    first = next((part for part in value if part[0] in (codes.LITERAL, codes.RANGE)), None)
    if first is None:
        return "a"
    return chr(first[1] if first[0] == codes.LITERAL else first[1][0])


def _holds(part: tuple[Any, Any], one: str) -> bool:
    code, value = part
    if code == codes.LITERAL:
        return bool(ord(one) == value)
    if code == codes.RANGE:
        return bool(value[0] <= ord(one) <= value[1])
    if code == codes.CATEGORY:
        name = str(value)
        kinds = {"DIGIT": one.isdecimal(), "SPACE": one.isspace(), "WORD": one.isalnum()}
        kinds["WORD"] |= one == "_"
        for kind, holds in kinds.items():
            if name.endswith(kind):
                return holds != ("_NOT_" in name)
    return False


_FEW = (*range(12, 40, 3), 60, 200)
_LONGEST = 4_000
_PATIENCE_S = 0.3
_LEAST_S = 0.02  # below, clocks tell little


def growth(used: Used, method: str, attack: tuple[str, str, str]) -> float:
    """To which power of a text's length the CPU time rises: 1 is as it should be; 99 if it is
    exponential, which shows in a few dozen characters."""
    run = getattr(used.compiled(), method)

    def cost(times: int) -> float:
        text = attack[0] + attack[1] * times + attack[2]
        given: Any = text.encode("latin-1", "replace") if used.binary else text
        began = time.process_time()
        run(given)
        return time.process_time() - began

    for times in _FEW:
        if cost(times) > _PATIENCE_S:
            return 99.0
    long = cost(_LONGEST)
    if long < _LEAST_S:
        return 1.0
    shorter = min(cost(_LONGEST // 4) for _ in range(3))
    long = min(long, cost(_LONGEST))
    return math.log(long / max(shorter, 1e-6), 4)
