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
    metric_lines,
    namespaced_log,
    parsl_tracing,
    recognising,
    recognising_cloudwatch,
    recognising_funcx,
    recognising_traces,
    taskvine_graph,
    wfformat,
    workqueue_debug,
    workqueue_function,
    workqueue_log,
    workqueue_statistics,
)
from dnpcsql.importers.cloudwatch import cloudwatch
from dnpcsql.importers.context import Context
from dnpcsql.importers.funcx_client_log import funcx_client_log
from dnpcsql.importers.funcx_endpoint_log import funcx_endpoint_log
from dnpcsql.importers.funcx_manager_log import funcx_manager_log
from dnpcsql.importers.funcx_worker_log import funcx_worker_log
from dnpcsql.importers.globus_compute_audit import globus_compute_audit
from dnpcsql.importers.globus_compute_audit import recognises as is_audit_log
from dnpcsql.importers.interchange_log import interchange_log
from dnpcsql.importers.jaeger_json import jaeger_json
from dnpcsql.importers.manager_log import manager_log
from dnpcsql.importers.metric_lines import with_metrics
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
    # Before Parsl's: funcX calls its files and loggers alike.
    Importer("funcx client log", recognising_funcx.client_log, funcx_client_log),
    Importer("funcx endpoint.log", recognising_funcx.log_of("endpoint"), funcx_endpoint_log),
    Importer("funcx manager.log", recognising_funcx.log_of("manager"), funcx_manager_log),
    Importer("funcx worker log", recognising_funcx.log_of("worker"), funcx_worker_log),
    Importer("parsl.log", recognising.log_of("parsl"), with_metrics(parsl_log)),
    Importer("interchange.log", recognising.log_of("interchange"), with_metrics(interchange_log)),
    Importer("manager.log", recognising.log_of("manager"), with_metrics(manager_log)),
    Importer("worker log", recognising.log_of("worker"), with_metrics(worker_log)),
    Importer(
        "monitoring log",
        recognising.log_of("monitoring"),
        with_metrics(monitoring_log),
        anchors=False,
    ),
    Importer("submit script", recognising.exit_code, submit_script, anchors=False),
    Importer("taskvine transactions", workqueue_log.is_taskvine, workqueue_log.transactions),
    Importer("transaction_log", workqueue_log.is_workqueue, workqueue_log.transaction_log),
    Importer(
        "taskvine performance", workqueue_statistics.is_taskvine, workqueue_statistics.performance
    ),
    Importer("master_log", workqueue_statistics.is_workqueue, workqueue_statistics.master_log),
    Importer("taskvine taskgraph", taskvine_graph.recognises, taskvine_graph.taskgraph),
    Importer("debug_log", workqueue_debug.recognises, workqueue_debug.debug_log, anchors=False),
    Importer(
        "function_data log",
        workqueue_function.recognises,
        workqueue_function.function_log,
        anchors=False,
    ),
    Importer("globus compute audit.log", is_audit_log, globus_compute_audit),
    Importer("cloudwatch", recognising_cloudwatch.cloudwatch, cloudwatch),
    Importer("metric lines", metric_lines.recognises, metric_lines.metric_lines, anchors=False),
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
