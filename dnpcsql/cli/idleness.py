"""`dnpcsql idle`: why workers had nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dnpcsql.cli.output import plain, seconds, table, text_or_rows_option, write_rows
from dnpcsql.store import Store

if TYPE_CHECKING:
    from dnpcsql.answers.idle import ExecutorTime, Idle


@click.command("idle")
@click.argument("run", default="last")
@click.option("--workers", is_flag=True, help="Each worker: what it was there for, and busy.")
@text_or_rows_option
@click.pass_obj
def idle_command(db: str | None, run: str, workers: bool, format_: str) -> None:
    """Say of each worker-second of a RUN that was not busy, why.

    The rows add up to what was there, to the nanosecond. A worker is there from when its block was
    asked for until that is gone. While it is free, it is matched with one of the tasks that wait,
    the nearest first; with none left, nothing was submitted.
    """
    with Store(db) as store:
        found = store.idle(run)
    if workers:
        columns = (
            "executor",
            "block",
            "host",
            "manager",
            "worker",
            "tasks",
            "capacity_ns",
            "busy_ns",
        )
        write_rows(columns, found.workers, "table" if format_ == "text" else format_)
        return
    if format_ != "text":
        rows = [(one.executor, *row) for one in found.executors for row in _rows(one)]
        write_rows(("executor", "what", "lasts_ns"), rows, format_)
        return
    click.echo("\n".join(_text(found)))


def _rows(one: ExecutorTime) -> list[tuple[str, int]]:
    return [("busy", one.busy_ns), *one.causes_ns.items(), ("capacity", one.capacity_ns)]


def _text(found: Idle) -> list[str]:
    from dnpcsql.analyses.idleness import ABOUT

    lines = []
    for one in found.executors:
        lines.append(
            f"{plain(one.executor)}: {one.workers} workers, {one.peak_busy} busy at the most, "
            f"{seconds(one.capacity_ns / 1e9)} of worker time   (run {found.run.id[:8]})"
        )
        rows = [
            (
                what,
                f"{lasts / 1e9:.6f}",
                f"{100 * lasts / one.capacity_ns:.1f}" if one.capacity_ns else "",
                ABOUT.get(what, ""),
            )
            for what, lasts in _rows(one)
            if lasts or what == "busy"
        ]
        lines += ["", *table(("", "worker_s", "%", ""), rows), ""]
    return lines + [f"note: {plain(said)}" for said in found.notes]
