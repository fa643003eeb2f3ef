"""`dnpcsql hops`: the way of a run's tasks through all layers."""

from __future__ import annotations

import json

import click

from dnpcsql.analyses.chains import Step
from dnpcsql.answers.funcx import Chain, findings
from dnpcsql.answers.hops import Hops, Slow
from dnpcsql.cli.output import seconds, table, text_or_rows_option, write_rows
from dnpcsql.store import Store


@click.command("hops")
@click.argument("run", default="last")
@click.option("--task", type=int, help="Of one task only.")
@click.option("--slowest", default=1, show_default=True, help="How many of each to show.")
@click.option("--funcx", is_flag=True, help="Of funcX's or Globus Compute's tasks, of no run.")
@text_or_rows_option
@click.pass_obj
def hops_command(
    db: str | None, run: str, task: int | None, slowest: int, funcx: bool, format_: str
) -> None:
    """Print how long each hop of a RUN's tasks takes, and where the slowest stand in the logs.

    A hop goes from one told moment to the next one that is told, so which there are is up to the
    files. Times are as told: below 0 where records race or clocks differ.
    """
    if funcx:
        with Store(db) as store:
            _print_chain(store.funcx_hops(), format_)
        return
    with Store(db) as store:
        found = store.hops(run, task=task, slowest=slowest)
    if format_ != "text":
        columns = ("begin", "end", "what", "n", "total_ns", "lasts_ns", "share", "mean_s", "p50_s",
                   "p95_s", "p99_s", "max_s", "below_0", "slowest")  # fmt: skip
        rows = [
            (
                hop.begin, hop.end, what, hop.n, hop.total_ns, hop.lasts_ns, share, hop.mean_s,
                hop.p50_s, hop.p95_s, hop.p99_s, hop.max_s, hop.before,
                json.dumps([slow._asdict() for slow in slow_ones]),
            )
            for hop, what, share, slow_ones in found.walks
        ]  # fmt: skip
        write_rows(columns, rows, format_)
        return
    click.echo("\n".join(_text(found)))


def _text(found: Hops) -> list[str]:
    head = f"{found.tasks} tasks, {seconds(found.wall_ns / 1e9)} of their time"
    rows = [
        (
            f"{hop.begin} > {hop.end}",
            str(hop.n),
            f"{100 * share:.1f}",
            *(f"{value:.4f}" for value in (hop.mean_s, hop.p50_s, hop.p95_s, hop.p99_s)),
            _slow(slowest[0]) if slowest else "",
        )
        for hop, _, share, slowest in found.walks
    ]
    columns = ("hop", "n", "%", "mean_s", "p50_s", "p95_s", "p99_s", "slowest")
    lines = [f"{head}   (run {found.run.id[:8]})", "", *table(columns, rows)]
    for hop, what, _, slowest in found.walks:
        for slow in slowest[1:]:
            lines.append(f"{what or f'{hop.begin} > {hop.end}'}: {_slow(slow)}")
    return [*lines, "", *_coverage(found)]


def _slow(slow: Slow) -> str:
    begins, ends = (side[-1] if side else "" for side in (slow.begins, slow.ends))
    places = " > ".join(place for place in (begins, ends) if place)
    return f"{slow.seconds:.4f} s task {slow.task}  {places}"


def _coverage(found: Hops) -> list[str]:
    some = [f"{one.moment} {one.told}/{one.of}" for one in found.coverage if one.told > 0]
    none = [
        one.moment
        for one in found.coverage
        if not one.told
        and one.of
        and not one.moment.startswith("queue_")
        and one.moment != "joining"
    ]
    lines = [f"told, of tries: {', '.join(some)}"]
    return [*lines, f"no file tells of: {', '.join(none)}"] if none else lines


def _print_chain(found: Chain, format_: str) -> None:
    if format_ != "text":
        write_rows(Step._fields, found.steps, format_)
        return
    click.echo(f"{found.tasks} tasks of funcX\n")
    rows = [
        (
            f"{step.begin} > {step.end}",
            str(step.n),
            f"{100 * step.share:.1f}",
            *(f"{value:.4f}" for value in (step.mean_s, step.p50_s, step.p95_s, step.p99_s)),
            f"{step.max_s:.4f} s task {found.names[step.slowest]}",
        )
        for step in found.steps
    ]
    columns = ("hop", "n", "%", "mean_s", "p50_s", "p95_s", "p99_s", "slowest")
    click.echo("\n".join(table(columns, rows)))
    if found.without_client:
        click.echo(f"\n{found.without_client} more are left out: their client's log is not here")
    for finding in findings(found):
        click.echo(f"{finding.sentence}")
