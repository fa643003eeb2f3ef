"""READ: every importer there is, one file a source.

An importer is a generator of records, `f(path, context)`. Ours are listed here by hand; other
packages offer theirs by the entry-point group `dnpcsql.importers`; a file of one's own works with
nothing installed (`dnpcsql import logs/ --importer my_importer.py`, or `my.toml` with no Python).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dnpcsql.importers import (
    namespaced_log,
    parsl_tracing,
    recognising,
    recognising_traces,
    wfformat,
)
from dnpcsql.importers.context import Context
from dnpcsql.importers.interchange_log import interchange_log
from dnpcsql.importers.jaeger_json import jaeger_json
from dnpcsql.importers.manager_log import manager_log
from dnpcsql.importers.monitoring_db import monitoring_db
from dnpcsql.importers.monitoring_log import monitoring_log
from dnpcsql.importers.otlp_json import otlp_json
from dnpcsql.importers.parsl_log import parsl_log
from dnpcsql.importers.submit_script import submit_script
from dnpcsql.importers.text import Lines
from dnpcsql.importers.worker_log import worker_log
from dnpcsql.importers.zipkin_json import zipkin_json
from dnpcsql.records import Record

__all__ = ["BUILT_IN", "Context", "Importer", "Lines", "offered"]


@dataclass(frozen=True)
class Importer:
    """A source that dnpcsql can read: by what it is known, and by what it is read."""

    name: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path, Context], Iterator[Record]]
    anchors: bool = True  # whether a file of which nothing is understood is worth a warning
    version: str = ""  # a file is read again by another version
    by_content: bool = True  # whether an equal file elsewhere is a copy that need not be read


def _otlp_protobuf(path: Path, context: Context) -> Iterator[Record]:
    """The protobuf library is loaded where it is needed."""
    from dnpcsql.importers.otlp_protobuf import otlp_protobuf

    return otlp_protobuf(path, context)


BUILT_IN = (
    Importer("monitoring.db", recognising.monitoring_db, monitoring_db),
    Importer("parsl.log", recognising.log_of("parsl"), parsl_log),
    Importer("interchange.log", recognising.log_of("interchange"), interchange_log),
    Importer("manager.log", recognising.log_of("manager"), manager_log),
    Importer("worker log", recognising.log_of("worker"), worker_log),
    Importer("monitoring log", recognising.log_of("monitoring"), monitoring_log, anchors=False),
    Importer("submit script", recognising.exit_code, submit_script, anchors=False),
    Importer("otlp json", recognising_traces.otlp_json, otlp_json, anchors=False),
    Importer("otlp protobuf", recognising_traces.otlp_protobuf, _otlp_protobuf, anchors=False),
    Importer("jaeger json", recognising_traces.jaeger_json, jaeger_json, anchors=False),
    Importer("zipkin json", recognising_traces.zipkin_json, zipkin_json, anchors=False),
    Importer("parsl_tracing.pickle", parsl_tracing.recognises, parsl_tracing.parsl_tracing),
    Importer("wfformat", wfformat.recognises, wfformat.wfformat, anchors=False),
    Importer("json log", namespaced_log.recognises, namespaced_log.namespaced_log, anchors=False),
)


def offered() -> list[Importer]:
    """The importers of other installed packages."""
    from importlib.metadata import entry_points

    return [found.load() for found in entry_points(group="dnpcsql.importers")]
