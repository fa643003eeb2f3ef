"""`dnpcsql bottleneck`: which stage could do the least."""

from __future__ import annotations

import math

import click

from dnpcsql.cli.output import plain, table, text_or_rows_option, write_rows
from dnpcsql.store import Store

_COLUMNS = ("stage", "executor", "arrived", "left", "arrivals_per_s", "most_per_s", "mean_length",
            "most", "mean_stay_s", "lambda_w", "little_error", "workers")  # fmt: skip


@click.command("bottleneck")
@click.argument("run", default="last")
@text_or_rows_option
@click.pass_obj
def bottleneck_command(db: str | None, run: str, format_: str) -> None:
    """Say which stage of a RUN saturates first, and how many tasks a second that means.

    Of each stage: how fast tasks come, how many it could do, how many are in it (L) and how long
    they stay (W). By Little's law L = rate x W; how far it is off is shown.
    """
    from dnpcsql.answers.bottleneck import ABOUT, caveats

    with Store(db) as store:
        found = store.bottleneck(run)
    rows = [
        (
            one.name, one.executor, one.flow.arrived, one.flow.left, one.flow.arrival_rate,
            None if math.isnan(one.most_per_s) else one.most_per_s, one.flow.mean_length,
            one.flow.most, one.flow.mean_stay_s, one.flow.arrival_rate * one.flow.mean_stay_s,
            one.flow.little_error, one.workers or None,
        )
        for one in found.stages
    ]  # fmt: skip
    if format_ != "text":
        write_rows(_COLUMNS, rows, format_)
        return
    click.echo(f"{plain(found.words())}   (run {found.run.id[:8]})\n")
    names = ("stage", "executor", "arrived", "per_s", "could_per_s", "L", "most", "W_s", "rate*W",
             "error_%", "")  # fmt: skip
    shown = [
        (
            row[0], row[1], row[2], f"{row[4]:.3f}", "-" if row[5] is None else f"{row[5]:.3f}",
            f"{row[6]:.4f}", row[7], f"{row[8]:.4f}", f"{row[9]:.4f}", f"{100 * row[10]:+.2f}",
            ABOUT[row[0]],
        )
        for row in rows
    ]  # fmt: skip
    click.echo("\n".join(table(names, shown)))
    for said in caveats(found):
        click.echo(f"note: {plain(said)}")
