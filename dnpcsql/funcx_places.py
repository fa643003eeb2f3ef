"""Where the logs of funcX's and Globus Compute's endpoints lie.

    ~/.funcx/<name>/endpoint.log
    ~/.funcx/<name>/<label>/worker_logs/<manager uid>/manager.log, funcx_worker_<N>.log
    ~/.globus_compute/<name>/endpoint.log, endpoint.log.1
    ~/.globus_compute/<name>/<label>/interchange.log, block-<block id>/<manager uid>/…, as Parsl's
    ~/.globus_compute/<name>/submit_scripts/

Today's endpoint shows no zone; its executor's logs beside it do.
"""

from __future__ import annotations

import re
from pathlib import Path

_ENDPOINT = re.compile(r"endpoint\.log(?:\.\d+)?")
_WORKER = re.compile(r"funcx_worker_\d+\.log")
_UID = re.compile(r"[0-9a-f]{12}")


def is_endpoint(path: Path) -> bool:
    """Whether a file is the log of an endpoint that has Parsl's executor beside it."""
    return _ENDPOINT.fullmatch(path.name) is not None and any(path.parent.glob("*/interchange.log"))


def manager_uid(path: Path) -> str | None:
    """Whose a worker's log is: only its directory says so."""
    uid = path.parent.name
    return uid if _WORKER.fullmatch(path.name) and _UID.fullmatch(uid) else None
