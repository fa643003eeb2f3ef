"""parsl.log: what the submitting process tells of its run, in all wordings since 2021."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dnpcsql.importers.context import Context
from dnpcsql.importers.kernels import Kernels
from dnpcsql.importers.logs import first_line, open_log
from dnpcsql.importers.parsl_messages import FIRST_WORDS, KNOWN, WITH_TRACEBACK, find
from dnpcsql.importers.text import lines_with
from dnpcsql.importers.wordings import Message, Wordings, anchor
from dnpcsql.records import Problem, Record

WORDINGS = Wordings(
    find,
    FIRST_WORDS,
    KNOWN,
    WITH_TRACEBACK,
    (
        anchor("", "run_id"),
        anchor("launched", "submitted"),
        anchor("submitted", "initial"),
        anchor("changed", "initial"),
    ),
)

_RUN_ID = re.compile(rb"Run id is: ([0-9a-f-]{36})")


def parsl_log(path: Path, context: Context) -> Iterator[Record]:
    """The runs that one log tells of: its own, and others whose own logs are not there."""
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    mixed = bool(context.overlapping) or _names_several_runs(path)
    kernels = Kernels(scope, context, mixed)
    if mixed:
        for message in open_log(path, context.clock, WORDINGS):
            if isinstance(message, Message):
                kernels.learn(message)
        kernels.learned()
    log = open_log(path, context.clock, WORDINGS)
    for message in log:
        if isinstance(message, Problem):
            yield message
        else:
            yield from kernels.tell(message)
    yield from kernels.finish(log.last())
    yield kernels.counted(log.tally())


def _names_several_runs(path: Path) -> bool:
    """Whether kernels were mixed of which not all have a log of their own beside this one."""
    named = (_RUN_ID.search(line) for line in lines_with(path, b"Run id is: "))
    return len({found[1] for found in named if found}) > 1
