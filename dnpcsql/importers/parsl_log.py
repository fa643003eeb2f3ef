"""parsl.log: what the submitting process tells of its run, in all wordings since 2021."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dnpcsql.importers.context import Context
from dnpcsql.importers.kernels import Kernels
from dnpcsql.importers.logs import first_line, open_log
from dnpcsql.importers.parsl_messages import FIRST_WORDS, KNOWN, WITH_TRACEBACK, find
from dnpcsql.importers.wordings import Message, Wordings
from dnpcsql.records import Problem, Record

WORDINGS = Wordings(find, FIRST_WORDS, KNOWN, WITH_TRACEBACK)


def parsl_log(path: Path, context: Context) -> Iterator[Record]:
    """The runs that one log tells of: its own, and others whose own logs are not there."""
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    kernels = Kernels(scope, context)
    if context.overlapping:
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
    yield from kernels.finish()
    yield kernels.counted(log.tally())
