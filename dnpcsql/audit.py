"""What was not joined, and where it stands: the things behind the counts of the view join_audit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from dnpcsql.identity import RUN_DIGITS

if TYPE_CHECKING:
    from dnpcsql.store import Store

# The second digit of a span's id says what it is.
_NUMBERED = {"2": "task", "3": "try", "8": "executor task", "a": "queue task"}
_NAMED = {
    "5": ("block", "parsl.block.id"),
    "6": ("manager", "parsl.manager.id"),
    "7": ("worker", "parsl.worker.id"),
}


class Unmatched(NamedTuple):
    """A thing that one account tells of, and its counterpart does not."""

    run_id: str
    executor: str | None
    pair: str
    side: str  # left or right: which of the pair tells of it
    what: str  # task 7, try 7.0, executor task 12, block 0, manager 91365d3eae4d
    path: str | None
    line: int | None


def unmatched(store: Store, run_id: str | None = None, *, absent: bool = False) -> list[Unmatched]:
    """All that was not matched, of all runs or of one, by run, executor and pair.

    With `absent` also what cannot be, since the other account was not imported or tells nothing.
    """
    where = "" if run_id is None else "WHERE run_id = :run_id "
    values = {} if run_id is None else {"run_id": run_id}
    there = {
        (run, executor, pair)
        for run, executor, pair, matched, left, right in store.query(
            "SELECT run_id, executor, pair, matched, left_only, right_only "
            f"FROM join_audit {where}",
            **values,
        )
        if (left or right) and (absent or matched or (left and right))
    }
    if not there:
        return []
    rows = store.query(
        "SELECT side.run_id, executor, pair, side, span_uuid, span.attributes, path, side.line "
        "FROM join_side AS side JOIN span ON span.uuid = span_uuid "
        "LEFT JOIN source ON source.id = side.source_id "
        f"{where.replace('run_id =', 'side.run_id =')}{'AND' if where else 'WHERE'} NOT matched "
        "ORDER BY 1, 2, 3, 4, 5",
        **values,
    )
    return [
        Unmatched(run, executor, pair, side, _what(uuid, attributes), path, line)
        for run, executor, pair, side, uuid, attributes, path, line in rows
        if (run, executor, pair) in there
    ]


def _what(uuid: str, attributes: str | None) -> str:
    """What a span is, as people call it."""
    said = json.loads(attributes or "{}")
    if "funcx.task.id" in said:
        return f"task {said['funcx.task.id']}"
    kind, number = uuid[RUN_DIGITS + 1], uuid[RUN_DIGITS + 2 :]
    if kind in _NUMBERED:
        name = _NUMBERED[kind]
        if name in ("executor task", "queue task"):
            return f"{name} {number[6:].lstrip('0') or 0}"
        task = number[:10].lstrip("0") or "0"
        return f"{name} {task}" if name == "task" else f"{name} {task}.{int(number[10:])}"
    name, attribute = _NAMED.get(kind, ("span", ""))
    return f"{name} {said.get(attribute, number)}"
