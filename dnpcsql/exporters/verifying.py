"""Reads traces back from a Jaeger and counts: that it took them is not that it has them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from dnpcsql.errors import SendError

_WAIT_S = 30.0
_STEP_S = 0.5


class Missing(NamedTuple):
    """A trace that has fewer spans than were sent."""

    trace_id: str
    sent: int
    found: int


class Verified(NamedTuple):
    """Traces that lack spans, and how many spans more the others have, of earlier exports."""

    missing: list[Missing]
    more: int


def verify(
    url: str,
    traces: Mapping[str, int],
    *,
    wait_s: float = _WAIT_S,
    progress: Callable[[int], None] | None = None,
) -> Verified:
    """The traces of which Jaeger's /api/v3 shows fewer spans than `traces` says.

    Jaeger stores a little later than it answers: traces are asked for again while more spans come,
    until none has come for `wait_s` seconds. Raises SendError if there is no Jaeger at `url`.
    """
    import requests

    missing: list[Missing] = []
    more = 0
    until = time.monotonic() + wait_s
    with requests.Session() as session:
        for done, (trace_id, sent) in enumerate(traces.items(), 1):
            found = _count(session, url, trace_id)
            while found < sent and time.monotonic() < until:
                time.sleep(_STEP_S)
                before, found = found, _count(session, url, trace_id)
                if found > before:
                    until = time.monotonic() + wait_s
            if found < sent:
                missing.append(Missing(trace_id, sent, found))
            more += max(0, found - sent)
            if progress is not None:
                progress(done)
    return Verified(missing, more)


def _count(session: object, url: str, trace_id: str) -> int:
    """How many spans of a trace are there, without what the page makes of them."""
    import requests

    assert isinstance(session, requests.Session)
    # Jaeger 2.13 knows the one name, 2.20 the other.
    asked = f"{url.rstrip('/')}/api/v3/traces/{trace_id}?raw_traces=true&rawTraces=true"
    try:
        answer = session.get(asked, timeout=60)
        if answer.status_code == 404:
            return 0
        answer.raise_for_status()
        elements = answer.json()["result"]["resourceSpans"]
    except (requests.exceptions.RequestException, ValueError, KeyError, TypeError) as error:
        raise SendError(f"--verify {url}: no Jaeger answers there ({error})") from None
    return sum(
        len(part.get("spans", ())) for element in elements for part in element.get("scopeSpans", ())
    )
