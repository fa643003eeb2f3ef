"""`dnpcsql failures`: why things failed."""

from __future__ import annotations

import json

import click

from dnpcsql.analyses.causes import Cause
from dnpcsql.answers.failures import Failures, sentence
from dnpcsql.cli.output import plain, text_or_rows_option, write_rows
from dnpcsql.store import Store


@click.command("failures")
@click.argument("run", default="last")
@text_or_rows_option
@click.pass_obj
def failures_command(db: str | None, run: str, format_: str) -> None:
    """Print why things of a RUN failed, the costliest cause first.

    Failures of one app, exception and exit code are one cause, and so are those of one executor
    and block. Tasks that could not run because others had failed are counted with these.
    """
    with Store(db) as store:
        found = store.failures(run)
    if format_ != "text":
        rows = [
            tuple(json.dumps(value) if isinstance(value, tuple) else value for value in cause)
            for cause in found.causes
        ]
        write_rows(Cause._fields, rows, format_)
        return
    click.echo("\n".join(_text(found)))


def _text(found: Failures) -> list[str]:
    tries = sum(cause.failures for cause in found.causes if cause.what == "try")
    given_up = sum(cause.gave_up for cause in found.causes if cause.what == "try")
    stopped = sum(cause.stopped for cause in found.causes)
    head = (
        f"{tries} tries failed, {given_up} tasks for good and {stopped} because of others: "
        f"{found.held_ns / 1e9:.1f} worker-seconds"
    )
    lines = [f"{head}   (run {found.run.id[:8]})"]
    if found.unfinished:
        lines.append(f"{found.unfinished} tasks never returned: `dnpcsql why {found.run.id[:8]}`")
    for cause in found.causes:
        lines += ["", f"{cause.layer}: {plain(sentence(cause))}"]
        if cause.message and cause.what == "try":
            lines.append(f"   says: {plain(cause.message)}")
        if cause.memory is not None:
            lines.append(f"   memory, as last measured: {cause.memory / 1e6:.0f} MB at most")
        lines.append(f"   see: {', '.join(plain(line) for line in cause.lines)}")
    return lines
