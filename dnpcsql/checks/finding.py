"""What a check says."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

DAMAGED: Final = "damaged"
ODD: Final = "odd"
NOTE: Final = "note"
LEVELS: Final = (DAMAGED, ODD, NOTE)

_EXAMPLES = 3


class Finding(NamedTuple):
    """One thing that is so: how grave, what, how often, where, and what shows more of it."""

    level: str  # damaged, odd or note
    what: str
    times: int
    examples: tuple[str, ...]  # each a place, `path:line`, and what stands there
    more: str = ""  # a command

    @property
    def fails(self) -> bool:
        """Whether `dnpcsql check` exits with 1 for it."""
        return self.level != NOTE


def counted(level: str, what: str, examples: Iterable[str], more: str = "") -> list[Finding]:
    """A finding with the first of some examples; none if there is no example."""
    remaining = iter(examples)
    first = tuple(islice(remaining, _EXAMPLES))
    times = len(first) + sum(1 for _ in remaining)
    return [Finding(level, what, times, first, more)] if times else []


def query(sql: str) -> str:
    """The command that runs some SQL, to be pasted into a shell."""
    text = " ".join(sql.split())
    return 'dnpcsql query "' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
