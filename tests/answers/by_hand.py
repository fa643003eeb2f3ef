"""How long each hop took, straight from a run's files: what the answers are held against.

Knows nothing of dnpcsql: its own patterns, its own reading of the database, its own order.

    python tests/answers/by_hand.py RUNINFO/000 [UTC_OFFSET_S]
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections import defaultdict
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ORDER = [
    "pending", "launched", "submitted", "interchange_received", "interchange_sent", "manager_got",
    "worker_received", "running", "running_ended", "worker_completed", "worker_finished",
    "interchange_result", "joining", "returned",
]  # fmt: skip

# 1795331212.928108 2026-11-22 07:06:52 MainProcess-16615 …   or   2026-11-22 07:06:48.129 …
HEAD = re.compile(r"(?:(\d{10})\.(\d{6}) \d{4}-\S+ \S+|(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d{3})) ")

STATES = {
    "pending": "pending", "launched": "launched", "running": "running", "joining": "joining",
    "running_ended": "running_ended", "exec_done": "returned", "failed": "returned",
    "fail_retryable": "returned",
}  # fmt: skip

Try = tuple[int, int]
Moments = dict[str, int]


def lines(path: Path, offset: int):  # type: ignore[no-untyped-def]
    """(nanoseconds, text) of each line that has a head."""
    for line in path.read_text(errors="replace").split("\n"):
        found = HEAD.match(line)
        if not found:
            continue
        if found[1]:
            yield int(found[1]) * 10**9 + int(found[2]) * 1000, line
        else:
            local = datetime.fromisoformat(found[3]).replace(tzinfo=timezone.utc)
            yield (int(local.timestamp()) - offset) * 10**9 + int(found[4]) * 10**6, line


def nanoseconds(text: str | None, offset: int) -> int | None:
    """Of the database's naive local times."""
    if text is None:
        return None
    local = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    return (int(local.timestamp()) - offset) * 10**9 + local.microsecond * 1000


def read(directory: Path, offset: int) -> dict[Try, Moments]:
    """Every try's moments: the database's, or else the log's; then those below the executor."""
    found: dict[Try, Moments] = defaultdict(dict)
    executor_tasks: dict[int, Try] = {}
    state: dict[int, int] = defaultdict(int)
    for at, text in lines(directory / "parsl.log", offset):
        launch = re.search(
            r"Parsl task (\d+) try (\d+) launched on executor \w+ with executor id (\d+)", text
        )
        if launch:
            executor_tasks[int(launch[3])] = int(launch[1]), int(launch[2])
            found[int(launch[1]), int(launch[2])]["submitted"] = at
        first = re.search(r"Task (\d+) (?:initializing state to|set to) pending", text)
        if first:
            found[int(first[1]), 0].setdefault("pending", at)
        change = re.search(r"Task (\d+) changing state from (\w+) to (\w+)", text)
        if change:
            task = int(change[1])
            if change[3] == "pending":
                state[task] += 1
            found[task, state[task]].setdefault(STATES.get(change[3], "other"), at)
    below: dict[int, Moments] = defaultdict(dict)
    for path in directory.glob("*/interchange.log"):
        for at, text in lines(path, offset):
            # Before October 2025 a count, "Fetched 3 tasks so far": ids rise by one as well.
            put = re.search(r"Put task (\d+) onto pending|Fetched (\d+) tasks so far", text)
            sent = re.search(r"Sent tasks: \[([\d, ]+)\] to manager", text)
            result = re.search(r"Removing task (\d+) from manager", text)
            for name, numbers in (
                ("interchange_received", put), ("interchange_sent", sent),
                ("interchange_result", result),
            ):  # fmt: skip
                for number in re.findall(r"\d+", numbers[1] or numbers[2]) if numbers else ():
                    below[int(number)].setdefault(name, at)
    for path in directory.glob("*/block-*/*/manager.log"):
        for at, text in lines(path, offset):
            got = re.search(r"Got executor tasks: \[([\d, ]+)\]", text)
            for number in re.findall(r"\d+", got[1]) if got else ():
                below[int(number)].setdefault("manager_got", at)
    for path in directory.glob("*/block-*/*/worker_*.log"):
        for at, text in lines(path, offset):
            for name, pattern in (
                ("worker_received", r"Received executor task (\d+)"),
                ("worker_completed", r"Completed executor task (\d+)"),
                ("worker_finished", r"All processing finished for executor task (\d+)"),
            ):
                number = re.search(pattern, text)
                if number:
                    below[int(number[1])].setdefault(name, at)
    for number, moments in below.items():
        found[executor_tasks[number]].update(moments)
    overruled(found, directory.parent / "monitoring.db", directory.name, offset)
    return found


def overruled(found: dict[Try, Moments], database: Path, name: str, offset: int) -> None:
    """What the database tells of a try's states counts, where it tells of them."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        run = next(
            run for run, rundir in db.execute("SELECT run_id, rundir FROM workflow")
            if Path(rundir).name == name
        )  # fmt: skip
        rows = db.execute(
            "SELECT task_id, try_id, task_status_name, min(timestamp) FROM status "
            "WHERE run_id = ? GROUP BY 1, 2, 3", (run,)
        )  # fmt: skip
        for task, attempt, name_, text in rows:
            at = nanoseconds(text, offset)
            if name_ in STATES and at is not None:
                found[task, attempt][STATES[name_]] = at
        rows = db.execute(
            "SELECT task_id, try_id, task_try_time_returned FROM try WHERE run_id = ?", (run,)
        )
        for task, attempt, text in rows:
            at = nanoseconds(text, offset)
            if at is not None and "joining" not in found[task, attempt]:
                found[task, attempt]["returned"] = at


def sums(found: dict[Try, Moments]) -> dict[tuple[str, str], tuple[int, int]]:
    """Of each hop from the launch to the return: how many, and nanoseconds in all."""
    hops: dict[tuple[str, str], tuple[int, int]] = {}
    for moments in found.values():
        told = [name for name in ORDER if name in moments]
        for begin, end in pairwise(told):
            if begin != "pending":
                n, total = hops.get((begin, end), (0, 0))
                hops[begin, end] = n + 1, total + moments[end] - moments[begin]
    return hops


PHASES = {  # of which phase a hop is, by the moment at which it ends
    "pending": "submit", "ready": "dependencies", "launched": "launch", "submitted": "launch",
    "interchange_received": "queue", "interchange_sent": "queue", "manager_got": "queue",
    "worker_received": "queue", "running_ended": "work", "done": "return",
    "interchange_result": "return", "worker_finished": "return", "last": "unfinished",
}  # fmt: skip


class Piece(NamedTuple):
    """A part of a task's wall time: in nanoseconds, of which phase, of which try."""

    phase: str
    begin: int
    end: int
    owner: Try


def pieces(directory: Path, offset: int) -> list[Piece]:
    """All tasks' wall time in pieces: each moment not before the one before it."""
    found = read(directory, offset)
    last = max(at for at, _ in lines(directory / "parsl.log", offset))
    with sqlite3.connect(f"file:{directory.parent / 'monitoring.db'}?mode=ro", uri=True) as db:
        tasks = {
            task: (nanoseconds(invoked, offset) or 0, nanoseconds(done, offset), depends or "")
            for task, invoked, done, depends in db.execute(
                "SELECT task_id, task_time_invoked, task_time_returned, task_depends FROM task "
                "JOIN workflow USING (run_id) WHERE rundir LIKE '%/' || ?", (directory.name,)
            )
        }  # fmt: skip
    made: list[Piece] = []
    for task, (invoked, done, depends) in tasks.items():
        at, end, before, attempt = invoked, last if done is None else done, "invoked", 0
        for attempt in sorted(number for owner, number in found if owner == task):
            moments = dict(found[task, attempt])
            ends = [tasks[int(other)][1] for other in depends.split(",") if other]
            if None not in ends:
                known = [one for one in ends if one is not None] if attempt == 0 else []
                moments["ready"] = max([moments["pending"], *known])
            for name in ["pending", "ready", *ORDER[1:]]:
                if name in moments:
                    moved = min(max(at, moments[name]), end)
                    made.append(Piece(phase(before, name), at, moved, (task, attempt)))
                    at, before = moved, name
        made.append(
            Piece(phase(before, "last" if done is None else "done"), at, end, (task, attempt))
        )
    return made


def total(made: list[Piece]) -> int:
    """Nanoseconds of all of them together."""
    return sum(piece.end - piece.begin for piece in made)


def covered(made: list[Piece]) -> int:
    """Nanoseconds in which there is at least one of them."""
    turns = sorted([(piece.begin, 1) for piece in made] + [(piece.end, -1) for piece in made])
    spent = open_ = since = 0
    for at, turn in turns:
        spent += at - since if open_ else 0
        open_, since = open_ + turn, at
    return spent


def phase(begin: str, end: str) -> str:
    """What a hop between two moments is part of, in the runs of the table of statements."""
    if begin == "joining":
        return "joined"
    if begin == "returned" and end == "pending":
        return "retry"
    if end == "running":
        return "worker" if begin == "worker_received" else "queue"
    if end == "worker_completed":
        return "worker"
    if end == "returned":
        return "launch" if begin == "ready" else "return"
    if end == "joining":
        return "return"
    return PHASES[end]


if __name__ == "__main__":
    offset_s = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for (begin, end), (n, spent) in sums(read(Path(sys.argv[1]), offset_s)).items():
        print(f"{begin:>20} > {end:20} {n:5}  {spent / 1e9:12.6f} s")
