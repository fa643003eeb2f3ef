"""By what Parsl's files are known: by their names, or by what is in them if they were renamed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from dnpcsql.importers.sqlite_file import is_sqlite, tables_of

# Enough of its tables to know Parsl's database by, whatever the file is called.
_MONITORING_TABLES = frozenset({"workflow", "task", "try", "status"})

_NAMES = {
    "parsl": re.compile(r"parsl\.(?:json)?log"),
    "interchange": re.compile(r"interchange\.(?:json)?log"),
    "manager": re.compile(r"manager\.(?:json)?log"),
    "worker": re.compile(r"worker_\d+\.(?:json)?log"),
    "monitoring": re.compile(
        r"(?:database_manager|monitoring_(?:zmq_|udp_)?router|monitoring_\w*radio)\.(?:json)?log"
    ),
}

# The head of a record by the logger that only such a file has, in text:
#   1795331200.508034 2026-11-22 07:06:40 MainProcess-16615 MainThread-14… parsl.dataflow.dflow:123
#   2026-11-22 07:14:14.160 parsl.dataflow.dflow:610 [INFO]  …
#   2026-11-22 07:06:48.129 interchange:478 HTEX-Interchange(16636) MainThread …
#   2026-11-22 07:06:52.046 worker_log:642 16704 MainThread [INFO]  Received executor task 1
# and in JSON:
#   {"created": …, "name": "parsl.dataflow.dflow", "lineno": 123, …
_CONTENTS = {
    "parsl": (r"parsl\.dataflow\.\w+", ""),
    "interchange": (r"(?:parsl\.executors\.high_throughput\.)?interchange", ""),
    "manager": (
        r"(?:parsl\.executors\.high_throughput\.process_worker_pool|parsl)",
        r"(?:Manager ID: |Manager initializing|Manager started|Got executor tasks|ready workers)",
    ),
    "worker": (
        r"(?:parsl\.executors\.high_throughput\.process_worker_pool|worker_log)",
        r"(?:Worker \d+ started|Received (?:executor )?task \d+)",
    ),
}


def _content(logger: str, message: str) -> re.Pattern[bytes]:
    # Bounded, or a line of millions of blanks would cost hours.
    text = rf"^\d[\d.: -]{{1,60}}[^\n]{{0,300}}?\b{logger}:\d{{1,6}} [^\n]{{0,300}}{message}"
    json = rf'^\{{"created": [^\n]{{0,2000}}"name": "{logger}"[^\n]{{0,2000}}{message}'
    return re.compile(f"{text}|{json}".encode(), re.MULTILINE)


_PATTERNS = {kind: _content(*parts) for kind, parts in _CONTENTS.items()}


def log_of(kind: str) -> Callable[[Path, bytes], bool]:
    """Whether a file is such a log: parsl, interchange, manager, worker or monitoring."""

    def recognises(path: Path, head: bytes) -> bool:
        named = next((name for name, form in _NAMES.items() if form.fullmatch(path.name)), None)
        if named is not None:
            return named == kind
        return kind in _PATTERNS and _PATTERNS[kind].search(head) is not None

    return recognises


def monitoring_db(path: Path, head: bytes) -> bool:
    """Whether a file is Parsl's database, whatever it is called. One that cannot be read may be."""
    if not is_sqlite(head):
        return False
    tables = tables_of(path)
    return tables is None or tables >= _MONITORING_TABLES


def exit_code(path: Path, head: bytes) -> bool:
    """Whether a file holds a job's exit status."""
    return path.parent.name == "submit_scripts" and path.name.endswith(".sh.ec")
