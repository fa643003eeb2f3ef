"""The tables. Read this first.

`span` and `event` are what happened; `subspan`, `facet` and `link` are how spans hang together
(which thing an account is of is computed from its id: view `entity`); `sample` holds readings;
`resource` and `scope` say who told; `source` and `problem` say where all of it comes from. Every
table is WITHOUT ROWID, its primary key in the order in which one reads. No foreign keys: broken
runs lack spans, and are worth seeing.

schema.sql is made of this file by `python -m dnpcsql.schema > dnpcsql/schema.sql`, and a test holds
them together: loading SQLAlchemy would cost a first import more than all else before its first
line (0.3 s of CPU).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

metadata = MetaData()


def _of_type(account: str, kind: str) -> Index:
    """Few spans among many are found by an index of just these."""
    return Index(
        f"span_{account.replace('.', '_')}_{kind}",
        "uuid",
        sqlite_where=sql(f"type = 'parsl.{account}.{kind}'"),
    )


def _by_number(account: str, kind: str) -> Index:
    """Tasks and tries are found by the task's number, which their uuid holds in decimal."""
    return Index(
        f"span_{account}_{kind}",
        sql("CAST(substr(uuid, 15, 10) AS INTEGER)"),
        sqlite_where=sql(f"type = 'parsl.{account}.{kind}'"),
    )


# Something that takes time, as one file tells of it.
span = Table(
    "span",
    metadata,
    Column("uuid", Text, primary_key=True, comment="run part and span id, 28 hex digits"),
    Column("type", Text, nullable=False, comment="whose account of what: parsl.monitoring.try"),
    Column("note", Text, comment="free words"),
    Column("trace_high", Text, nullable=False, comment="the first 20 digits of trace_id"),
    Column(
        "trace_id",
        Text,
        Computed("trace_high || substr(uuid, 1, 12)", persisted=False),
        comment="32 hex digits; a Parsl run's is its run id without dashes",
    ),
    Column(
        "span_id",
        Text,
        Computed("coalesce(original_span_id, substr(uuid, 13))", persisted=False),
        comment="16 hex digits, what Jaeger shows",
    ),
    Column("parent_uuid", Text, comment="the one OpenTelemetry parent: span.uuid"),
    Column("name", Text, comment="of low cardinality: the app's name"),
    Column("kind", Integer, comment="OTLP's SpanKind, 0 to 5"),
    Column("start_unix_nano", BigInteger, comment="nanoseconds since 1970 UTC; NULL: not known"),
    Column("end_unix_nano", BigInteger, comment="NULL: never ended, as far as is known"),
    Column("status_code", Integer, comment="OTLP's: 0 unset, 1 ok, 2 error"),
    Column("status_message", Text, comment="what went wrong"),
    Column("attributes", Text, comment="a JSON object"),
    Column("dropped_attributes_count", Integer, comment="OTLP's"),
    Column("dropped_events_count", Integer, comment="OTLP's"),
    Column("dropped_links_count", Integer, comment="OTLP's"),
    Column("resource_id", Text, comment="who told: resource.id"),
    Column("scope_id", Text, comment="by which instrumentation: scope.id"),
    Column("trace_state", Text, comment="W3C tracestate"),
    Column("flags", BigInteger, comment="OTLP's"),
    Column("original_span_id", Text, comment="the span's own id, where uuid could not hold it"),
    Column("source_id", Integer, comment="the file: source.id"),
    Column("line", BigInteger, comment="its line, rowid or ordinal there"),
    CheckConstraint("typeof(start_unix_nano) IN ('integer', 'null')"),
    CheckConstraint("typeof(end_unix_nano) IN ('integer', 'null')"),
    Index("span_original", "original_span_id", sqlite_where=sql("original_span_id IS NOT NULL")),
    _of_type("monitoring", "workflow"),
    _of_type("rundir", "workflow"),
    _of_type("executor.htex", "interchange"),
    _by_number("monitoring", "task"),
    _by_number("monitoring", "try"),
    _by_number("rundir", "task"),
    _by_number("rundir", "try"),
    sqlite_with_rowid=False,
)

# A moment in a span's life. A span's events lie together, in time order.
event = Table(
    "event",
    metadata,
    Column("span_uuid", Text, primary_key=True, comment="span.uuid"),
    Column("time_unix_nano", BigInteger, primary_key=True, comment="exact"),
    Column("type", Text, primary_key=True, comment="as its source spells it: running_ended"),
    Column("source_id", Integer, primary_key=True, comment="the file: source.id"),
    Column("line", BigInteger, primary_key=True, comment="its line, rowid or ordinal there"),
    Column("note", Text, comment="free words"),
    Column("attributes", Text, comment="a JSON object"),
    Column("dropped_attributes_count", Integer, comment="OTLP's"),
    Column(
        "time",
        Float,
        Computed("time_unix_nano / 1e9", persisted=False),
        comment="unix seconds",
    ),
    Column(
        "uuid",
        Text,
        Computed("span_uuid || '.' || line || '.' || type", persisted=False),
        comment="names this event: its span, its line there, its type",
    ),
    CheckConstraint("typeof(time_unix_nano) = 'integer'"),
    sqlite_with_rowid=False,
)

# Containment: a DAG, for a try is in a task and on a worker.
subspan = Table(
    "subspan",
    metadata,
    Column("superspan_uuid", Text, primary_key=True, comment="span.uuid"),
    Column("subspan_uuid", Text, primary_key=True, comment="span.uuid"),
    Column("key", Text, primary_key=True, comment="tells apart the ways of containing"),
    Column("note", Text, comment="'inferred: …' where no file states it"),
    Column("source_id", Integer, comment="the file; NULL: found by comparing files"),
    Index("subspan_reverse", "subspan_uuid", "superspan_uuid"),
    sqlite_with_rowid=False,
)

# Two accounts of one thing; neither is the parent.
facet = Table(
    "facet",
    metadata,
    Column("left_uuid", Text, primary_key=True, comment="span.uuid"),
    Column("right_uuid", Text, primary_key=True, comment="span.uuid"),
    Column("note", Text, comment="how it is known"),
    Column("source_id", Integer, comment="the file; NULL: found by comparing names"),
    Index("facet_reverse", "right_uuid", "left_uuid"),
    sqlite_with_rowid=False,
)

# A span refers to another: depends_on, joins, otel; parsl and worker are what spans of other
# programs are tied by.
link = Table(
    "link",
    metadata,
    Column("span_uuid", Text, primary_key=True, comment="span.uuid"),
    Column("linked_uuid", Text, primary_key=True, comment="span.uuid"),
    Column("type", Text, primary_key=True, comment="depends_on, joins, otel, …"),
    Column("ordinal", Integer, primary_key=True, comment="its place among the span's links"),
    Column("trace_id", Text, comment="of the linked span, where it is foreign"),
    Column("span_id", Text, comment="of the linked span, where it is foreign"),
    Column("trace_state", Text, comment="W3C tracestate"),
    Column("flags", BigInteger, comment="OTLP's"),
    Column("attributes", Text, comment="a JSON object"),
    Column("dropped_attributes_count", Integer, comment="OTLP's"),
    Column("source_id", Integer, comment="the file: source.id"),
    Index("link_reverse", "linked_uuid", "span_uuid"),
    Index("link_parsl", "linked_uuid", "span_uuid", sqlite_where=sql("type = 'parsl'")),
    sqlite_with_rowid=False,
)

# A reading of many numbers at one time.
sample = Table(
    "sample",
    metadata,
    Column("span_uuid", Text, primary_key=True, comment="span.uuid"),
    Column("time_unix_nano", BigInteger, primary_key=True, comment="exact"),
    Column("source_id", Integer, primary_key=True, comment="the file: source.id"),
    Column("line", BigInteger, primary_key=True, comment="its line, rowid or ordinal there"),
    Column("metrics", Text, comment="a JSON object, name → number"),
    CheckConstraint("typeof(time_unix_nano) = 'integer'"),
    sqlite_with_rowid=False,
)

# Who told: service, host, process.
resource = Table(
    "resource",
    metadata,
    Column("id", Text, primary_key=True, comment="a hash of the content"),
    Column("attributes", Text, comment="a JSON object"),
    Column("schema_url", Text, comment="of its conventions"),
    Column("dropped_attributes_count", Integer, comment="OTLP's"),
    Column("entity_refs", Text, comment="OTLP's: which attributes name which entity, a JSON array"),
    sqlite_with_rowid=False,
)

# The instrumentation that told.
scope = Table(
    "scope",
    metadata,
    Column("id", Text, primary_key=True, comment="a hash of the content"),
    Column("name", Text, comment="of the instrumentation"),
    Column("version", Text, comment="of the instrumentation"),
    Column("attributes", Text, comment="a JSON object"),
    Column("schema_url", Text, comment="of its conventions"),
    Column("dropped_attributes_count", Integer, comment="OTLP's"),
    sqlite_with_rowid=False,
)

# A file that was imported, and how well it was understood.
source = Table(
    "source",
    metadata,
    Column("id", Integer, primary_key=True, comment="of no meaning outside this database"),
    Column("path", Text, nullable=False, unique=True, comment="where it was read"),
    Column("importer", Text, comment="by what"),
    Column("size", BigInteger, comment="bytes"),
    Column("modified_unix_nano", BigInteger, comment="the file's, when it was read"),
    Column("fingerprint", Text, comment="of content and surroundings: equal means the same"),
    Column("imported_at", Float, comment="unix seconds"),
    Column("runs", Text, comment="run parts of the uuids that it told of: a JSON array"),
    Column("lines", BigInteger, comment="lines, or rows of a database"),
    Column("records", BigInteger, comment="log records, rows"),
    Column("understood", BigInteger, comment="how many of these became something here"),
    Column("problems", BigInteger, comment="how many were not understood"),
    Column("messages", Text, comment="what was read and not used, by shape: {shape: [n, known]}"),
    Column("shares", Text, comment="paths of others that tell some of the same foreign spans"),
    Column("utc_offset", Text, comment="used for its zone-less times"),
    Column("utc_offset_how", Text, comment="how that was known"),
    Index("source_fingerprint", "fingerprint"),
    sqlite_with_rowid=False,
)

# What was not understood, counted, never fatal.
problem = Table(
    "problem",
    metadata,
    Column("source_id", Integer, primary_key=True, comment="the file: source.id"),
    Column("kind", Text, primary_key=True, comment="torn record, no zone, …"),
    Column("line", BigInteger, primary_key=True, comment="where; 0: the file as a whole"),
    Column("text", Text, primary_key=True, comment="what stood there, cut off"),
    Column("count", Integer, nullable=False, comment="how often"),
    Index("problem_kind", "kind"),
    sqlite_with_rowid=False,
)


def statements() -> list[str]:
    """The DDL of all tables and indexes, for SQLite."""
    dialect = sqlite.dialect()
    made: list[str] = []
    for table in metadata.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=dialect)))
        made += [
            str(CreateIndex(index).compile(dialect=dialect))
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        ]
    return made


if __name__ == "__main__":
    print("-- Made of schema.py, which explains every column: python -m dnpcsql.schema\n")
    lines = [f"{statement.strip()};\n" for statement in statements()]
    print("\n".join(lines).replace(", \n", ",\n"), end="")
