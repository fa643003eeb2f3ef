"""Ids come from names: natural keys → trace ids, span ids, uuids.

A span's id is 16 hex digits: who tells of it (one digit), what it is (one digit), then the
numbers of its name in decimal, which are valid hex too. Try 0 of task 55555, as parsl.log
tells it, is `23 0000055555 0000`. So ids can be read by people, taken apart in SQL, and come
in order. A name that is not a number is hashed into its share, with a letter where a number's
first digit would be. The thing itself (the entity
that several files give accounts of) has the same id, told by nobody: `03 0000055555 0000`.

A span's uuid is a run part, the end of the trace id, and that id: 12 + 16 hex digits.
"""

from __future__ import annotations

import functools
import hashlib
import re
from operator import index

RUN_DIGITS = 12

# The first digit: who tells.
ENTITY = "0"
MONITORING = "1"
PARSL_LOG = "2"
INTERCHANGE = "3"
MANAGER_LOG = "4"
WORKER_LOG = "5"
DEBUG_LOG = "3"  # Work Queue's: an executor has it, or an interchange
WORK_QUEUE = "6"  # or TaskVine, its successor: an executor has one of them
SCRIPT = "7"
NAMED = "9"

# The second digit: what it is.
_WORKFLOW, _TASK, _TRY, _EXECUTOR, _BLOCK, _MANAGER, _WORKER, _EXECUTOR_TASK = "12345678"
_QUEUE_TASK = "a"

_TASKS, _TRIES = 10**10, 10**4  # more than any run has of them

_RUN_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.I)


def hexdigest(digits: int, *parts: object) -> str:
    """So many hex digits that stand for `parts`, the same in every process and on every host."""
    texts = [str(part).encode("utf-8", "surrogatepass") for part in parts]
    told = b"".join(b"%d:%b" % (len(text), text) for text in texts)
    return hashlib.blake2b(told, digest_size=16).hexdigest()[:digits]


@functools.lru_cache(maxsize=10_000)
def _digits_of(digits: int, name: str) -> str:
    """The digits of a name that is met again and again: a manager's uid, a label."""
    return hexdigest(digits, name)


def _numbered(value: object, digits: int) -> str | None:
    """A whole number in so many decimal digits; None for anything else, or if it does not fit."""
    text = str(value)
    plain = text.isascii() and text.isdecimal() and (text == "0" or text[0] != "0")
    return text.zfill(digits) if plain and len(text) <= digits else None


def _hashed(digits: int, *parts: object) -> str:
    """14 digits for a name without such a number: a letter stands where its first digit would."""
    found = hexdigest(13, *parts)
    return f"{found[: -digits + 1]}f{found[-digits + 1 :]}"


def trace_id_of(run_id: str) -> str:
    """A Parsl run's trace id is its run id without dashes; any other name is hashed into one."""
    if _RUN_ID.fullmatch(run_id) and run_id.strip("0-"):
        return run_id.replace("-", "").lower()
    return hexdigest(32, "run", run_id)


def task_trace_id(trace_id: str, task_id: int) -> str:
    """The trace id of one task of a run, where each task is to have a trace of its own."""
    return hexdigest(32, "task", trace_id, task_id)


def run_id_of(trace_id: str) -> str:
    """A trace id as a run id is written: 8-4-4-4-12."""
    return "-".join((trace_id[:8], trace_id[8:12], trace_id[12:16], trace_id[16:20], trace_id[20:]))


def worker_span_id(manager_uid: object, rank: object) -> str:
    """The span id of an HTEX worker in its own log's account, whichever run it belongs to."""
    names = Names("any", WORKER_LOG)
    return names.worker(str(manager_uid), rank)[RUN_DIGITS:]


def possible_accounts(uuid: str) -> list[str]:
    """A thing's own uuid, and those that any teller's account of it would have: eight texts, for a
    list in SQL; of what no others give accounts of, its own eight times."""
    run, rest = uuid[:RUN_DIGITS], uuid[RUN_DIGITS + 1 :]
    if uuid[RUN_DIGITS] != ENTITY:
        return [uuid] * 8
    return [uuid, *(f"{run}{teller}{rest}" for teller in range(1, 8))]


class Names:
    """The names that one teller uses for the things of one run.

    Made by the million: a number's digits by `zfill`, which costs half of what a format does.

    >>> names = Names("71d4a751-6867-449f-b893-6b653903b644", PARSL_LOG)
    >>> names.attempt(55555, 0)
    '6b653903b6442300000555550000'
    """

    def __init__(self, run_id: str, teller: str) -> None:
        """`teller`: the digit that says whose account it is, PARSL_LOG for one."""
        self.trace_id = trace_id_of(run_id)
        self.trace_high = self.trace_id[:-RUN_DIGITS]
        self.run = self.trace_id[-RUN_DIGITS:]
        self.prefix = self.run + teller

    def workflow(self) -> str:
        """The uuid of the run."""
        return f"{self.prefix}{_WORKFLOW}00000000000000"

    def task(self, task_id: int) -> str:
        """The uuid of a task. ValueError for a number that none can have."""
        if not 0 <= task_id < _TASKS:
            raise ValueError(f"no task has the number {task_id}")
        return f"{self.prefix}{_TASK}{str(index(task_id)).zfill(10)}0000"

    def attempt(self, task_id: int, try_id: int) -> str:
        """The uuid of a try (`try` is a word of Python's own). ValueError as for `task`."""
        if not (0 <= task_id < _TASKS and 0 <= try_id < _TRIES):
            raise ValueError(f"no task has the number {task_id}, or no try the number {try_id}")
        # Ten digits and four, as one number: half the calls of two.
        return f"{self.prefix}{_TRY}{str(index(task_id) * _TRIES + index(try_id)).zfill(14)}"

    def executor(self, label: str) -> str:
        """The uuid of an executor."""
        return f"{self.prefix}{_EXECUTOR}{_digits_of(14, label)}"

    def block(self, label: str, block_id: str) -> str:
        """The uuid of a block of an executor."""
        number = _numbered(block_id, 8)
        share = _hashed(8, label, block_id) if number is None else _digits_of(6, label) + number
        return f"{self.prefix}{_BLOCK}{share}"

    def manager(self, uid: str) -> str:
        """The uuid of a manager, whose uid Parsl draws at random."""
        return f"{self.prefix}{_MANAGER}{_digits_of(14, uid)}"

    def worker(self, uid: str, rank: object) -> str:
        """The uuid of a worker of a manager."""
        number = _numbered(rank, 4)
        share = _hashed(4, uid, rank) if number is None else _digits_of(10, uid) + number
        return f"{self.prefix}{_WORKER}{share}"

    def executor_task(self, label: str, number: int) -> str:
        """The uuid of what an executor calls a task: one launch of a try."""
        if not 0 <= number < 10**8:
            return f"{self.prefix}{_EXECUTOR_TASK}{_hashed(8, label, number)}"
        return f"{self.prefix}{_EXECUTOR_TASK}{_digits_of(6, label)}{str(number).zfill(8)}"

    def queue_task(self, label: str, number: int) -> str:
        """The uuid of what Work Queue or TaskVine, below an executor, calls a task."""
        return f"{self.prefix}{_QUEUE_TASK}{self.executor_task(label, number)[RUN_DIGITS + 2 :]}"

    def summary(self, *key: object) -> str:
        """The uuid of something that is told of many things together."""
        return f"{self.prefix}9{hexdigest(14, *key)}"

    def named(self, *key: object) -> str:
        """The uuid of anything else, from a name of any shape."""
        return f"{self.prefix}0{hexdigest(14, *key)}"
