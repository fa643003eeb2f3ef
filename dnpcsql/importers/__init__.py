"""READ: every importer there is, one file a source.

An importer is a generator of records, `f(path, context)`. Ours are listed here by hand; other
packages offer theirs by the entry-point group `dnpcsql.importers`; a file of one's own works with
nothing installed (`dnpcsql import logs/ --importer my_importer.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dnpcsql.importers.context import Context
from dnpcsql.importers.jaeger_json import is_jaeger_json, jaeger_json
from dnpcsql.importers.monitoring_db import TABLES, monitoring_db
from dnpcsql.importers.otlp_json import is_otlp_json, otlp_json
from dnpcsql.importers.otlp_protobuf import is_otlp_protobuf, otlp_protobuf
from dnpcsql.importers.parsl_log import parsl_log
from dnpcsql.importers.sqlite_file import is_sqlite, tables_of
from dnpcsql.importers.submit_script import submit_script
from dnpcsql.importers.zipkin_json import is_zipkin_json, zipkin_json
from dnpcsql.records import Record

# Enough of its tables to know Parsl's database by, whatever the file is called.
_MONITORING_TABLES = frozenset({"workflow", "task", "try", "status"})

# 1795331200.508034 2026-11-22 07:06:40 MainProcess-16615 MainThread-14… parsl.dataflow.dflow:123
# 2026-11-22 07:14:14.160 parsl.dataflow.dflow:610 [INFO]  …
_PARSL_LOG = re.compile(rb"^\d[\d.: -]+ [^\n]*\bparsl\.dataflow\.\w+:\d+ ", re.MULTILINE)


@dataclass(frozen=True)
class Importer:
    """A source that dnpcsql can read: by what it is known, and by what it is read."""

    name: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path, Context], Iterator[Record]]
    anchors: bool = True  # whether a file of which nothing is understood is worth a warning
    by_content: bool = True  # whether the same file elsewhere is the same source


def _is_monitoring_db(path: Path, head: bytes) -> bool:
    return is_sqlite(head) and tables_of(path) >= _MONITORING_TABLES


def _is_parsl_log(path: Path, head: bytes) -> bool:
    return path.name == "parsl.log" or (
        path.name not in _OTHER_LOGS and _PARSL_LOG.search(head) is not None
    )


def _is_exit_code(path: Path, head: bytes) -> bool:
    return path.parent.name == "submit_scripts" and path.name.endswith(".sh.ec")


# Logs of Parsl's own that have parsl.log's record heads and other contents.
_OTHER_LOGS = frozenset({"database_manager.log", "monitoring_router.log"})

BUILT_IN = (
    Importer("monitoring.db", _is_monitoring_db, monitoring_db),
    Importer("parsl.log", _is_parsl_log, parsl_log),
    Importer("submit script", _is_exit_code, submit_script, anchors=False),
    Importer("otlp json", is_otlp_json, otlp_json, anchors=False),
    Importer("otlp protobuf", is_otlp_protobuf, otlp_protobuf, anchors=False),
    Importer("jaeger json", is_jaeger_json, jaeger_json, anchors=False),
    Importer("zipkin json", is_zipkin_json, zipkin_json, anchors=False),
)


def offered() -> list[Importer]:
    """The importers of other installed packages."""
    from importlib.metadata import entry_points

    return [found.load() for found in entry_points(group="dnpcsql.importers")]
