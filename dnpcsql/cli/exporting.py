"""`dnpcsql export`: runs and traces for other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import click

from dnpcsql.cli.export_wfformat import wfformat_command
from dnpcsql.cli.output import plain
from dnpcsql.errors import SendError, SettingError
from dnpcsql.store import Store

if TYPE_CHECKING:
    from dnpcsql.exporters.otlp import Export, Exported
    from dnpcsql.exporters.sending import Sent
    from dnpcsql.exporters.traces import TracePer

_SHOWN = 10


@click.group("export")
def export_command() -> None:
    """Send or write what is here, in other programs' words."""


export_command.add_command(wfformat_command)


@export_command.command("otlp")
@click.argument("runs", nargs=-1, metavar="[RUN...]")
@click.option("--endpoint", metavar="URL", help="A receiver.  [default: http://localhost:4317]")
@click.option(
    "--protocol",
    type=click.Choice(["grpc", "http/protobuf", "http/json"]),
    help="[default: grpc; http/protobuf for port 4318]",
)
@click.option(
    "--trace-per",
    type=click.Choice(["run", "task", "auto"]),
    default="auto",
    show_default=True,
    help="One trace for a run, one for each task, or for each task if there are many.",
)
@click.option("--where", metavar="SQL", help="Only the rows of otlp_span of which this is true.")
@click.option("-o", "--output", metavar="FILE", help="Write FILE.jsonl or FILE.pb; send nothing.")
@click.option("--verify", metavar="URL", help="Then ask the Jaeger at this URL, and count.")
@click.option("--repair", is_flag=True, help="Mend spans of other programs too, and mark them.")
@click.option("--jaeger", metavar="URL", help="For the links that are printed.")
@click.pass_obj
def otlp_command(
    db: str | None,
    runs: tuple[str, ...],
    endpoint: str | None,
    protocol: str | None,
    trace_per: str,
    where: str | None,
    output: str | None,
    verify: str | None,
    repair: bool,
    jaeger: str | None,
) -> None:
    """Send RUNs to a Jaeger or any receiver of OTLP: all that is here, if none is named.

    A RUN may be the trace id of another program's trace too. Endpoint, headers, timeout,
    compression and certificates are taken from OTEL_EXPORTER_OTLP_*, as any OpenTelemetry
    program takes them. Sent again from the same database, spans keep their ids; after more was
    imported, or by another --trace-per, Jaeger may show some twice. Exit status: 1 if a span was
    refused, or --verify finds one missing.

    \b
    docker compose up -d && dnpcsql export otlp last
    dnpcsql export otlp --endpoint http://collector:4318 --where "service = 'parsl-worker'"
    dnpcsql export otlp last --output run.jsonl
    """
    if verify is not None and output is not None:
        raise SettingError("--output sends nothing, so --verify has nothing to count")
    with Store(db) as store, _progress("sent") as progress:
        done = store.export_otlp(
            *runs,
            endpoint=endpoint,
            protocol=protocol,
            trace_per=cast("TracePer", trace_per),
            where=where,
            repair=repair,
            output=output,
            progress=lambda sent: progress(sent.spans),
        )
        tasks = {run.id.replace("-", ""): run.tasks for run in store.runs()}
    shown = jaeger or verify or done.jaeger
    for one in done.runs[:_SHOWN]:
        click.echo(_line(one, tasks, shown))
    if len(done.runs) > _SHOWN:
        click.echo(f"… and {len(done.runs) - _SHOWN} more runs")
    click.echo(_total(done, output), err=True)
    for words, times in done.sent.messages.most_common():
        click.echo(f"receiver: {plain(words)}{f' ({times} spans)' if times else ''}", err=True)
    wrong = bool(done.sent.rejected)
    if verify is not None:
        wrong |= _verify(verify, done.sent)
    if wrong:
        raise click.exceptions.Exit(1)


def _line(one: Exported, tasks: dict[str, int], jaeger: str | None) -> str:
    """`1,204 tasks: one trace for the run, http://localhost:16686/trace/3f2a61c4…`"""
    if one.trace_id is None:
        return f"{one.spans:,} spans of other programs in {_count(one.traces, 'trace')}"
    what = f"{one.spans:,} spans"
    if one.spans and one.trace_id in tasks:
        what = f"{tasks[one.trace_id]:,} tasks"
    where = one.trace_id if jaeger is None else f"{jaeger.rstrip('/')}/trace/{one.trace_id}"
    if one.per_task:
        return f"{what}: {_count(one.traces, 'trace')}, the run's {where}"
    if one.traces == 1:
        return f"{what}: one trace for the run, {where}"
    # Each of funcX's tasks is a trace.
    return f"{what}: {_count(one.traces, 'trace')}{f', one of them {where}' if one.traces else ''}"


def _total(done: Export, output: str | None) -> str:
    sent = done.sent
    text = f"{sent.spans:,} spans, {sent.events:,} events, {sent.links:,} links"
    text += f" in {output}" if output is not None else f" in {_count(sent.requests, 'request')}"
    if done.untimed:
        text += f"; {done.untimed:,} spans left out, as nothing tells when they were"
    if done.cut:
        text += f"; {done.cut:,} spans without their parent, which lies in them or too far up"
    if sent.rejected:
        text += f"; {sent.rejected:,} spans were refused"
    return text


def _verify(url: str, sent: Sent) -> bool:
    """Whether anything is missing."""
    from dnpcsql.exporters.verifying import verify

    if sent.rejected:
        raise SendError("not verified: the receiver refused some spans")
    with _progress("traces verified") as progress:
        missing, more = verify(url, sent.traces, progress=progress)
    if not missing:
        also = f", and {more:,} more that were sent before" if more else ""
        click.echo(f"verified: all {sent.spans:,} spans are there{also}", err=True)
    for one in missing[:_SHOWN]:
        click.echo(f"trace {one.trace_id}: {one.sent:,} sent, {one.found:,} there", err=True)
    if len(missing) > _SHOWN:
        click.echo(f"… and {len(missing) - _SHOWN} more traces", err=True)
    return bool(missing)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    """A line that counts, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda number: None
        return
    try:
        yield lambda number: click.echo(f"\r{number:,} {what}", nl=False, err=True)
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)
