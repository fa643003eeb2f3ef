"""Logs of the processes that carry monitoring messages: their errors.

database_manager.log, monitoring_router.log, monitoring_zmq_router.log and the like tell nothing
else of a run: what was stored is in monitoring.db.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from dnpcsql.identity import PARSL_LOG, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.logs import failure, first_line, open_log
from dnpcsql.importers.wordings import by_first_word
from dnpcsql.records import Containment, Problem, Record, Span

# Whatever is no error is left out on purpose.
WORDINGS = by_first_word((), known=("",), loud=True)


def monitoring_log(path: Path, context: Context) -> Iterator[Record]:
    """One process's errors."""
    log = open_log(path, context.clock, WORDINGS)
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    names = Names(scope, PARSL_LOG)
    name = path.name.partition(".")[0]
    uuid = names.named("log", name, context.label)
    for message in log:
        if isinstance(message, Problem):
            yield message
        else:
            yield failure(uuid, message.at, message.match[1])
    label = {} if context.label is None else {"parsl.executor.label": context.label}
    yield Span(
        uuid,
        "parsl.rundir.monitoring_log",
        names.trace_high,
        parent_uuid=names.workflow(),
        name=name,
        start_unix_nano=log.first(),
        end_unix_nano=log.last(),
        attributes=json.dumps(label) if label else None,
        line=1,
    )
    yield Containment(names.workflow(), uuid)
    yield log.tally()
