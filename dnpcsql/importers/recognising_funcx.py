"""By what funcX's and Globus Compute's logs are known: by what is in them, for their managers'
are called as Parsl's, and their endpoints write of an interchange as HTEX's does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

# What their loggers are called.
OWN = ("funcx_endpoint.", "globus_compute_endpoint.")

_LOGGERS = {
    # 1659517089.018137 2022-08-03 10:58:09 INFO MainProcess-220169 MainThread-140192181061440
    # funcx_endpoint.endpoint.interchange:91 __init__ Initializing EndpointInterchange process …
    "endpoint": (
        rb"(?:endpoint\.|(?:executors|engines)\.high_throughput\.interchange|cli|strategies)"
    ),
    # … funcx_endpoint.executors.high_throughput.funcx_manager:162 __init__ Manager started
    "manager": rb"(?:executors|engines)\.high_throughput\.(?:funcx_)?(?:manager|worker_map)",
    # … funcx_endpoint.executors.high_throughput.funcx_worker:98 start Starting worker
    "worker": rb"(?:executors|engines)\.high_throughput\.(?:funcx_)?worker:",
}
_PRINTED = frozenset({".out", ".err", ".stdout", ".stderr"})
_HEAD = rb"^(?:\d{9,10}\.\d+ )?\d{4}-\d\d-\d\d [\d:.,]+ [A-Z]+ [^\n]{1,400}? "
_OWN = rb"(?:funcx_endpoint|globus_compute_endpoint)\."
_PATTERNS = {
    kind: re.compile(_HEAD + _OWN + logger, re.MULTILINE) for kind, logger in _LOGGERS.items()
}

# 1659518795.716790 2022-08-03 11:26:35,716 MainProcess-221120 MainThread-140308941870912
# synthetic_client:57 <module> INFO: FUNC 3000 submit
_CLIENT = re.compile(
    rb"^\d{9,10}\.\d+ \d{4}-\d\d-\d\d [^\n]{1,400}? [A-Z]+: "
    rb"(?:FUNC \d+ submit|FUNCBIND \d+ |SYNTHETIC \w+)",
    re.MULTILINE,
)


def log_of(kind: str) -> Callable[[Path, bytes], bool]:
    """Whether a file is such a log: endpoint, manager or worker."""

    def recognises(path: Path, head: bytes) -> bool:
        # What a job or a worker printed may be a copy of its log. The setting up of logging comes
        # first in each, and tells nothing.
        return (
            path.suffix not in _PRINTED
            and any(own.encode() in head for own in OWN)
            and _first(head) == kind
        )

    return recognises


def _first(head: bytes) -> str | None:
    """The kind of log whose logger speaks first."""
    found = ((pattern.search(head), kind) for kind, pattern in _PATTERNS.items())
    places = [(match.start(), kind) for match, kind in found if match is not None]
    return min(places)[1] if places else None


def client_log(path: Path, head: bytes) -> bool:
    """Whether a file is the log of a client that names its tasks by FUNC lines."""
    return (b": FUNC" in head or b": SYNTHETIC" in head) and _CLIENT.search(head) is not None
