"""submit_scripts/<job>.sh.ec: how a block's job ended.

The file holds one line: `-` while the job runs or if it was killed with Parsl, else its exit
status. Nothing in it tells a time; the file's name holds the second at which the job was handed
to the provider:

    parsl.htex.block-0.1795331213.6386034.sh.ec     (since 2023-05)
    parsl.localprovider.1795331659.478654.sh.ec     (before; it does not say which block)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from dnpcsql.clock import epoch_ns
from dnpcsql.identity import PARSL_LOG, SCRIPT, Names
from dnpcsql.importers.context import Context
from dnpcsql.records import Containment, Event, Problem, Record, Span, Tally

_NAME = re.compile(
    r"(?:parsl\.(?P<label>.+)\.block-(?P<block>.+?)|.+)\.(?P<epoch>\d{9,10}\.\d+)\.sh\.ec"
)

_STATUS = re.compile(r"-?\d{1,5}", re.ASCII)


def told_by_name(path: Path) -> tuple[str | None, int] | None:
    """The executor's label, if it is there, and the instant in a submit script's name."""
    found = _NAME.fullmatch(path.name)
    return None if found is None else (found["label"], epoch_ns(found["epoch"]))


def submit_script(path: Path, context: Context) -> Iterator[Record]:
    """One job's exit status, as an account of its block."""
    found = _NAME.fullmatch(path.name)
    text = path.read_bytes()[:100].decode("utf-8", "replace").strip()
    if found is None:
        yield Problem(None, "name not understood", path.name)
        yield Tally(1, 1, 0, {})
        return
    scope, problems = context.run_or_scope(path.name)
    yield from problems
    names = Names(scope, SCRIPT)
    job = path.name.removesuffix(".sh.ec")
    if found["block"] is None:
        uuid = names.named("submit script", job)
    else:
        uuid = names.block(found["label"], found["block"])
    submitted = epoch_ns(found["epoch"])
    attributes: dict[str, object] = {"parsl.block.job_name": job}
    if _STATUS.fullmatch(text):
        attributes["process.exit.code"] = int(text)
    elif text != "-":
        yield Problem(1, "exit status not understood", text)
    yield Span(
        uuid, "parsl.rundir.submit_script", names.trace_high, name="submit script",
        start_unix_nano=submitted, status_code=2 if attributes.get("process.exit.code") else None,
        attributes=json.dumps(attributes), line=1,
    )  # fmt: skip
    yield Containment(Names(scope, PARSL_LOG).workflow(), uuid)
    yield Event(uuid, submitted, "submitted", 1)
    yield Tally(1, 1, 1, {})
