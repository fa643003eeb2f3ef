"""Ids of funcX's and Globus Compute's things, whose tasks have UUIDs and no run.

No log but the client's says which run a task is of: an endpoint serves many. So all of them have
one run part, and a task's uuid is made from its UUID alone, whichever file tells of it, in any
order: who tells, what it is, the first 14 digits of the UUID (52 bits of chance: two of a million
tasks share them once in ten thousand databases). Each task is a trace of its own, whose id begins
with the first 20 digits of the UUID.

>>> task(WORKER, "fb0d5bf0-124a-45c5-a1e2-b1b1bbe24d24")[12:]
'd8fb0d5bf0124a45'
"""

from __future__ import annotations

import re

from dnpcsql.identity import RUN_DIGITS, hexdigest

RUN = hexdigest(RUN_DIGITS, "funcX")
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

# Who tells. (No digit of identity.py's, so that nothing of Parsl's is taken for funcX's.)
CLIENT, ENDPOINT, MANAGER, WORKER, CLOUD, AUDIT = "abcdef"

# What it is, as in identity.py.
_RUN, _NUMBERED, _ENDPOINT, _MANAGER, _WORKER, _TASK = "124678"

_HIGH = 32 - RUN_DIGITS
_DIGITS = re.compile(r"[^0-9a-f]")


def trace_of_task(task_id: str) -> str:
    """The first 20 digits of the id of a task's trace. `task_id`: its UUID."""
    return _digits(task_id)[:_HIGH]


def trace_of(*name: str) -> str:
    """The same for anything else: for one UUID these are its digits, other names are hashed."""
    if len(name) == 1 and re.fullmatch(UUID, name[0]):
        return _digits(name[0])[:_HIGH]
    return hexdigest(_HIGH, "funcX", *name)


def task(teller: str, task_id: str) -> str:
    """What a teller tells of a task. The client's account is what the others' lie in."""
    return f"{RUN}{teller}{_TASK}{_digits(task_id)[:14]}"


def numbered_task(scope: str, number: int) -> str:
    """A client's task of which it never learned the UUID, by the client's own number."""
    if not 0 <= number < 10**8:
        return f"{RUN}{CLIENT}{_NUMBERED}{hexdigest(14, scope, number)}"
    return f"{RUN}{CLIENT}{_NUMBERED}{hexdigest(6, scope)}{number:08d}"


def client(scope: str) -> str:
    """One start of a client."""
    return f"{RUN}{CLIENT}{_RUN}{hexdigest(14, scope)}"


def endpoint(start: str) -> str:
    """One start of an endpoint."""
    return f"{RUN}{ENDPOINT}{_ENDPOINT}{hexdigest(14, start)}"


def manager(teller: str, uid: str) -> str:
    """A manager, whose uid is drawn at random."""
    return f"{RUN}{teller}{_MANAGER}{hexdigest(14, uid)}"


def worker(uid: str, number: int) -> str:
    """A worker of a manager."""
    if not 0 <= number < 10**4:
        return f"{RUN}{WORKER}{_WORKER}{hexdigest(14, uid, number)}"
    return f"{RUN}{WORKER}{_WORKER}{hexdigest(10, uid)}{number:04d}"


def _digits(task_id: str) -> str:
    return _DIGITS.sub("", task_id.lower())
