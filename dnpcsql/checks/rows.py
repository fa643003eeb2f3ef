"""Rows that point nowhere, or tell what cannot be.

Each is one SELECT of (path, line, what stands there), which a person can run and change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from dnpcsql.checks.finding import DAMAGED, NOTE, ODD, Finding, counted, query


class _Check(NamedTuple):
    level: str
    what: str
    sql: str
    more: str = ""


# Of other programs' spans a sampler or a lost batch may have left out some, and an endpoint of
# funcX works for clients whose logs lie elsewhere.
_FOREIGN = (
    "(span.type IN ('otel.span', 'jaeger.span', 'zipkin.span') "
    "OR substr(span.type, 1, 6) = 'funcx.')"
)

# Who tells of a span is in its uuid, behind the run: whether anything is here from that teller.
_TELLER_IS_HERE = (
    "EXISTS (SELECT 1 FROM span AS told WHERE told.uuid >= substr({0}, 1, 13) "
    "AND told.uuid < substr({0}, 1, 13) || 'g')"
)
_NO_SPAN = "NOT EXISTS (SELECT 1 FROM span AS held WHERE held.uuid = {})"
_OF_SOURCE = "LEFT JOIN source ON source.id = {}.source_id"

# A run's own ends, as monitoring.db and parsl.log tell them; of a run that was killed the end is
# not known. Clocks of hosts differ by seconds, and processes end one after the other.
_RUN = """WITH told AS (
SELECT uuid, start_unix_nano, end_unix_nano FROM span WHERE type = 'parsl.monitoring.workflow'
UNION ALL
SELECT uuid, start_unix_nano, end_unix_nano FROM span WHERE type = 'parsl.rundir.workflow'
), run AS (
SELECT substr(uuid, 1, 12) AS part, min(start_unix_nano) - 60000000000 AS first,
CASE WHEN count(*) = count(end_unix_nano) THEN max(end_unix_nano) + 60000000000 END AS last
FROM told GROUP BY 1
)"""

# Managers and workers may outlive the process that submitted; what itself tells cannot.
_OUTSIDE = "({0} < run.first OR ({0} > run.last AND substr({1}, 13, 1) IN ('1', '2')))"  # tellers
_IN_RUN = "{0} >= run.part AND {0} < run.part || 'g'"

# No such computer ran before 2000, and what is told was before it was read.
_NEVER = (
    "({0} < 946684800000000000 OR {0} > (CAST(strftime('%s', 'now') AS INTEGER) + 86400) * "
    "1000000000)"
)


def _no_owner(table: str) -> str:
    return f"SELECT DISTINCT source_id FROM {table} WHERE source_id NOT IN (SELECT id FROM source)"


def _bad_json(table: str, column: str, line: str = "line", source: str = "source") -> str:
    join = _OF_SOURCE.format(table) if source else ""
    path = "path" if source else "NULL"
    return (
        f"SELECT {path}, {line}, '{table}: ' || substr({table}.{column}, 1, 80) FROM {table} "
        f"{join} WHERE {table}.{column} IS NOT NULL AND NOT json_valid({table}.{column})"
    )


_CHECKS = (
    _Check(
        DAMAGED,
        "rows whose source is not there",
        "SELECT NULL, NULL, 'source_id ' || source_id FROM ("
        + " UNION ".join(
            _no_owner(name)
            for name in ("span", "event", "subspan", "facet", "link", "sample", "problem")
        )
        + ")",
    ),
    _Check(
        DAMAGED,
        "attributes that are no JSON",
        " UNION ALL ".join(
            (
                _bad_json("span", "attributes"),
                _bad_json("event", "attributes"),
                _bad_json("link", "attributes", "NULL"),
                _bad_json("sample", "metrics"),
                _bad_json("resource", "attributes", "NULL", ""),
                _bad_json("scope", "attributes", "NULL", ""),
            )
        ),
    ),
    _Check(
        ODD,
        "events without a span: the line that told of it is lost",
        "SELECT path, event.line, event.type || ' of ' || span_uuid FROM event "
        f"{_OF_SOURCE.format('event')} WHERE {_NO_SPAN.format('span_uuid')}",
    ),
    _Check(
        ODD,
        "readings without a span: the line that told of it is lost",
        "SELECT path, sample.line, 'of ' || span_uuid FROM sample "
        f"{_OF_SOURCE.format('sample')} WHERE {_NO_SPAN.format('span_uuid')}",
    ),
    _Check(
        ODD,
        "relations of spans that are not there",  # but Work Queue's (6): see below
        "SELECT path, NULL, subspan_uuid || ' in ' || superspan_uuid FROM subspan "
        f"{_OF_SOURCE.format('subspan')} WHERE {_NO_SPAN.format('subspan_uuid')} "
        "AND substr(subspan_uuid, 13, 1) <> '6' "
        "UNION ALL SELECT path, NULL, left_uuid || ' is ' || right_uuid FROM facet "
        f"{_OF_SOURCE.format('facet')} WHERE {_NO_SPAN.format('left_uuid')} "
        f"OR {_NO_SPAN.format('right_uuid')}",
    ),
    _Check(
        ODD,
        "spans whose parent is missing, though its teller is here",
        "SELECT path, span.line, span.type || ' ' || span.uuid || ', parent ' || parent_uuid "
        f"FROM span {_OF_SOURCE.format('span')} WHERE parent_uuid IS NOT NULL "
        f"AND {_NO_SPAN.format('span.parent_uuid')} AND NOT {_FOREIGN} "
        f"AND {_TELLER_IS_HERE.format('span.parent_uuid')}",
    ),
    _Check(
        ODD,
        "spans in one that is missing, though its teller is here",
        "SELECT path, span.line, span.type || ' ' || subspan_uuid || ', in ' || superspan_uuid "
        f"FROM subspan JOIN span ON span.uuid = subspan_uuid {_OF_SOURCE.format('subspan')} "
        f"WHERE {_NO_SPAN.format('superspan_uuid')} AND NOT {_FOREIGN} "
        f"AND {_TELLER_IS_HERE.format('superspan_uuid')}",
    ),
    _Check(
        ODD,
        "spans that end before they start",
        "SELECT path, line, type || ' ' || uuid || ' by ' || "
        "((start_unix_nano - end_unix_nano) / 1e9) || ' s' "
        f"FROM span {_OF_SOURCE.format('span')} WHERE end_unix_nano < start_unix_nano",
    ),
    _Check(
        ODD,
        "spans outside their run, by more than a minute",
        f"{_RUN} SELECT path, line, type || ' ' || uuid FROM run CROSS JOIN span "
        f"ON {_IN_RUN.format('uuid')} {_OF_SOURCE.format('span')} "
        f"WHERE {_OUTSIDE.format('start_unix_nano', 'uuid')} "
        f"OR {_OUTSIDE.format('end_unix_nano', 'uuid')}",
    ),
    _Check(
        ODD,
        "events outside their run, by more than a minute",
        f"{_RUN} SELECT path, line, type || ' of ' || span_uuid FROM run CROSS JOIN event "
        f"ON {_IN_RUN.format('span_uuid')} {_OF_SOURCE.format('event')} "
        f"WHERE {_OUTSIDE.format('time_unix_nano', 'span_uuid')}",
    ),
    _Check(
        ODD,
        "times before the year 2000, or still to come",
        "SELECT path, line, type || ' ' || uuid FROM span "
        f"{_OF_SOURCE.format('span')} WHERE {_NEVER.format('start_unix_nano')} "
        f"OR {_NEVER.format('end_unix_nano')} "
        "UNION ALL SELECT path, line, type || ' of ' || span_uuid FROM event "
        f"{_OF_SOURCE.format('event')} WHERE {_NEVER.format('time_unix_nano')}",
    ),
    _Check(
        NOTE,
        "spans whose parent is not here: the file that tells of it was not imported",
        "SELECT path, span.line, span.type || ' ' || span.uuid || ', parent ' || parent_uuid "
        f"FROM span {_OF_SOURCE.format('span')} WHERE parent_uuid IS NOT NULL "
        f"AND {_NO_SPAN.format('span.parent_uuid')} "
        f"AND ({_FOREIGN} OR NOT {_TELLER_IS_HERE.format('span.parent_uuid')})",
    ),
    _Check(
        NOTE,
        "tasks of Work Queue that only debug_log names",
        "SELECT path, NULL, subspan_uuid || ' in ' || superspan_uuid FROM subspan "
        f"{_OF_SOURCE.format('subspan')} WHERE {_NO_SPAN.format('subspan_uuid')} "
        "AND substr(subspan_uuid, 13, 1) = '6'",
    ),
    _Check(
        NOTE,
        "links from or to spans that are not here",
        "SELECT path, NULL, span_uuid || ' ' || type || ' ' || linked_uuid FROM link "
        f"{_OF_SOURCE.format('link')} WHERE {_NO_SPAN.format('linked_uuid')} "
        f"OR {_NO_SPAN.format('span_uuid')}",
    ),
    _Check(
        NOTE,
        "kinds of things in the files that were not understood",
        "SELECT example, NULL, kind || ', ' || count || ' times' FROM problem_summary "
        "ORDER BY count DESC",
        "dnpcsql problems",
    ),
)


def found(connection: sqlite3.Connection) -> Iterator[Finding]:
    """What each of the SELECTs brings."""
    for one in _CHECKS:
        rows = connection.execute(one.sql)
        texts = (_shown(*row) for row in rows)
        yield from counted(one.level, one.what, texts, one.more or query(one.sql))


def _shown(path: str | None, line: int | None, what: str | None) -> str:
    """`runinfo/000/parsl.log:17  parsl.rundir.try …`."""
    place = "" if path is None else path if line is None else f"{path}:{line}"
    return f"{place}  {what}".strip()
