"""Small real files of every importer to be mutated: captured ones, else what other tests quote."""

from __future__ import annotations

import contextlib
import json
import pickle
import shutil
import sqlite3
import tarfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from dnpcsql.importers import Importer
from dnpcsql.importers.choice import Choice
from tests import funcx_samples
from tests.conftest import DATA
from tests.importers import (
    test_cloudwatch,
    test_jaeger_zipkin,
    test_metric_lines,
    test_namespaced_log,
    test_parsl_tracing,
    test_taskvine,
    test_wfformat,
)

_MOST = 3  # files of an importer
_BYTES = 64 << 10

_FUNCTION = "1677161346.500000 start\n1677161347.25 function done\n"
_ROUTER = (
    "1795331241.507181 2026-11-22 07:07:21 Monitoring-ZMQ-Router-Process-18332 "
    "MainThread-140534725069696 parsl.monitoring.radios.zmq_router:68 start INFO: Starting\n"
)
_ZIPKIN = [
    {
        "traceId": "463ac35c9f6413ad48485a3953bb6124", "id": "a2fb4a1d1a96d312",
        "parentId": "0020000000000001", "name": "get", "kind": "CLIENT",
        "timestamp": 1795331483000000, "duration": 207000, "shared": True,
        "localEndpoint": {"serviceName": "front", "ipv4": "10.0.0.1", "port": 3306},
        "annotations": [{"timestamp": 1795331483000001, "value": "ws"}],
        "tags": {"http.path": "/api", "error": "true"},
    }
]  # fmt: skip


class Seed(NamedTuple):
    """A real file: who reads it, where it lay, and what it holds."""

    importer: Importer
    place: str
    content: bytes


def all_seeds(folder: Path) -> list[Seed]:
    """Some files of each built-in importer; `folder` is for what is unpacked."""
    unpacked = folder / "seeds"
    unpacked.mkdir()
    for archive in DATA.glob("*.tar.xz"):
        with tarfile.open(archive) as opened:
            opened.extractall(unpacked / archive.name.split(".tar")[0], filter="data")
    shutil.copytree(DATA / "otlp", unpacked / "otlp")
    _quoted(unpacked / "quoted")
    return _chosen(unpacked)


def _chosen(unpacked: Path) -> list[Seed]:
    """Of each importer's files the smallest that are not nearly empty."""
    choice = Choice(None)
    files: dict[str, list[Seed]] = defaultdict(list)
    for path in sorted(unpacked.rglob("*"), key=lambda path: (_size(path), str(path))):
        known = choice.of(path) if path.is_file() else None
        if known is None or len(files[known.name]) >= _MOST:
            continue
        content = _small(path) if known.name == "monitoring.db" else path.read_bytes()[:_BYTES]
        place = "/".join(path.relative_to(unpacked).parts[-3:])
        files[known.name].append(Seed(known, place, content))
    return [seed for seeds in files.values() for seed in seeds]


def _size(path: Path) -> int:
    size = path.stat().st_size
    return size if size > 300 else size + _BYTES


def _small(path: Path) -> bytes:
    """A database with the first tasks of the real one."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table in ("task", "try", "status", "resource", "input_files", "files"):
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute(f'DELETE FROM "{table}" WHERE task_id > 3')
        connection.execute("VACUUM")
    return path.read_bytes()


def _quoted(place: Path) -> None:
    """What other tests quote of programs that leave nothing in tests/data."""
    place.mkdir()
    funcx_samples.write(place / "funcx")
    for number, form in enumerate(test_cloudwatch.FORMS.values()):
        (place / f"cloud{number}").write_bytes(
            form if isinstance(form, bytes) else str(form).encode()
        )
    vine = place / "vine-logs"
    vine.mkdir()
    told = test_taskvine
    (vine / "transactions").write_text(told.MANUAL + told.CONNECTED + told.RUNNING + told.LEAVES)
    (vine / "taskgraph").write_text(told.GRAPH)
    (vine / "performance").write_text(
        "# timestamp workers_connected tasks_running\n1679929315785718 1 2\n1679929316785718 1 3\n"
    )
    function = place / "function_data" / "0019"
    function.mkdir(parents=True)
    (function / "log").write_text(_FUNCTION)
    (place / "database_manager.log").write_text(_ROUTER * 3)
    (place / "metrics.log").write_text(
        f"{test_metric_lines.STRATEGY}\n".replace("parsl.dataflow.", "mine.") * 3
    )
    start = test_namespaced_log.start
    (place / "academy.jsonlog").write_text(start() + start(**{"academy.action_state": "end"}))
    (place / "parsl_tracing.pickle").write_bytes(pickle.dumps(test_parsl_tracing.TRACING, 4))
    (place / "old" / "x").mkdir(parents=True)
    (place / "old" / "x" / "parsl_tracing.pickle").write_bytes(
        pickle.dumps(test_parsl_tracing.TRACING, 0)
    )
    (place / "workflow.json").write_text(json.dumps(test_wfformat.NEW))
    (place / "jaeger.json").write_text(json.dumps({"data": [test_jaeger_zipkin.TRACE]}))
    (place / "zipkin.json").write_text(json.dumps(_ZIPKIN))
