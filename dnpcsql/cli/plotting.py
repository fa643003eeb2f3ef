"""`dnpcsql plot`: pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dnpcsql.errors import NotFoundError
from dnpcsql.store import Store

_KINDS = (
    "latency", "histogram", "kde", "ecdf", "boxes", "states", "concurrency", "rate", "tasks",
    "workers", "utilization", "resources", "lifelines", "types", "dependencies", "compare",
)  # fmt: skip


@click.command("plot")
@click.argument("kind", type=click.Choice(_KINDS), metavar="KIND")
@click.argument("run", required=False)
@click.argument("other", metavar="[OTHER]", required=False)
@click.option("-o", "--output", metavar="FILE", help=".png, .svg or .pdf.  [default: KIND.png]")
@click.option("--where", metavar="SQL", help="Only these: a condition over columns of parsl_try.")
@click.option("--where-a", metavar="SQL", help="For compare: only these of RUN.")
@click.option("--where-b", metavar="SQL", help="For compare: only these of OTHER.")
@click.option("--from", "begin", metavar="EVENT", help="The first of two events.")
@click.option("--to", "end", metavar="EVENT", help="The second one.")
@click.option("--by", metavar="COLUMN", help="Colour or split by: app, executor, hostname, …")
@click.option("--type", "type_", metavar="TYPE", help="Spans of this type, not a run's tasks.")
@click.option("--metric", metavar="NAME", help="For resources: memory, cpu, read, write, …")
@click.option("--detail", is_flag=True, help="All hops as states, not only Parsl's.")
@click.option("--log/--linear", default=None, help="The axis of durations.  [default: by the data]")
@click.option("--wall", metavar="TZ", help="Wall-clock times of a zone, not seconds.")
@click.option("--dpi", default=110, show_default=True, help="Of a .png.")
@click.pass_obj
def plot_command(
    db: str | None,
    kind: str,
    run: str | None,
    other: str | None,
    output: str | None,
    where: str | None,
    where_a: str | None,
    where_b: str | None,
    begin: str | None,
    end: str | None,
    by: str | None,
    type_: str | None,
    metric: str | None,
    detail: bool,
    log: bool | None,
    wall: str | None,
    dpi: int,
) -> None:
    """Draw a picture of a RUN (the last one), and say which file it is in.

    Exit status: 0; 1 if there is nothing to draw (then there is no file), or for what you can mend.

    \b
    latency       how long from one event to another, over time
    histogram     how many took how long, with mean, median, p95 and max
    kde, ecdf     the same as a density, or as cumulative shares; --by app
    boxes         how long after the first event each other event came
    states        how many were in each state over time
    concurrency   how many at a time, in each layer
    rate          events a second over time
    tasks         a row for each task, by the state it was in
    workers       a lane for each worker, by what it ran
    utilization   busy workers over time, below those connected
    resources     memory, CPU or another metric over time
    lifelines     a line for each task through its stages
    types         how the types of spans hang together
    dependencies  what waits for what
    compare       two runs, RUN and OTHER, one over the other

    \b
    dnpcsql plot workers -o workers.pdf
    dnpcsql plot latency 003 --from launched --to running --where "app = 'resize'"
    dnpcsql plot histogram --type workqueue.task --from WAITING --to RUNNING
    """
    path = Path(output or f"{kind}.png")
    with Store(db) as store:
        picture = store.plot(
            kind, run, other, where=where, begin=begin, end=end, by=by, type=type_,
            metric=metric, detail=detail, log=log, wall=wall, where_first=where_a,
            where_second=where_b,
        )  # fmt: skip
        if picture.nothing is not None:
            raise NotFoundError(f"nothing to draw, so no {path}: {picture.nothing}")
        picture.save(path, dpi=dpi)
    click.echo(str(path), file=sys.stdout)
