"""`dnpcsql clocks`: what can be known of each host's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dnpcsql.cli.output import plain, table, text_or_rows_option, write_rows
from dnpcsql.store import Store

if TYPE_CHECKING:
    from dnpcsql.answers.clocks import Clocks, HostClock

_MESSAGES = "SELECT * FROM clock_message WHERE run_id = :run ORDER BY host, way, submit_unix_nano"
_COLUMNS = ("host", "low_s", "high_s", "middle_s", "uncertainty_s", "differs", "drift_ppm",
            "messages_there", "messages_back", "above_bound_s", "above_sent", "above_arrived",
            "below_bound_s", "below_sent", "below_arrived")  # fmt: skip


@click.command("clocks")
@click.argument("run", default="last")
@click.option("--messages", is_flag=True, help="Each message, with the lines that tell of it.")
@text_or_rows_option
@click.pass_obj
def clocks_command(db: str | None, run: str, messages: bool, format_: str) -> None:
    """Bound by how much the clocks of a RUN's hosts differ from the submitting side's.

    Nothing arrives before it was sent: each task that goes to a host bounds its clock from above,
    each result from below. Times in the database stay as they were told.
    """
    from dnpcsql.answers.clocks import caveats

    with Store(db) as store:
        if messages:
            result = store.query(_MESSAGES, run=store.run(run).id)
            write_rows(result.columns, result, "table" if format_ == "text" else format_)
            return
        found = store.clocks(run)
    if format_ != "text":
        write_rows(_COLUMNS, [_row(host) for host in found.hosts], format_)
        return
    click.echo("\n".join(_text(found)))
    for said in caveats(found):
        click.echo(f"note: {plain(said)}")


def _row(host: HostClock) -> tuple[object, ...]:
    known = host.bounds
    above, below = host.from_above, host.from_below
    return (
        host.host, _seconds(known.low), _seconds(known.high), _seconds(known.middle),
        _seconds(known.uncertainty), known.differs, known.drift_ppm, known.there, known.back,
        _seconds(above.bound_ns if above else None), above.submit if above else None,
        above.host if above else None, _seconds(below.bound_ns if below else None),
        below.host if below else None, below.submit if below else None,
    )  # fmt: skip


def _text(found: Clocks) -> list[str]:
    lines = [f"clocks against that of {plain(found.reference)}   (run {found.run.id[:8]})", ""]
    rows = [
        (
            host.host,
            _shown(host.bounds.low),
            _shown(host.bounds.high),
            _shown(host.bounds.middle),
            _shown(host.bounds.uncertainty),
            "differs" if host.bounds.differs else "may be right",
            "" if host.bounds.drift_ppm is None else f"{host.bounds.drift_ppm:.0f}",
            host.bounds.there,
            host.bounds.back,
        )
        for host in found.hosts
    ]
    columns = (
        "host",
        "at_least_s",
        "at_most_s",
        "middle_s",
        "+-_s",
        "",
        "drift_ppm",
        "there",
        "back",
    )
    lines += table(columns, rows) if rows else []
    for host in found.hosts:
        for side, one in (("at most", host.from_above), ("at least", host.from_below)):
            if one is not None:
                lines.append(
                    f"  {plain(host.host)}, {side}: task {one.executor_task}: "
                    f"{plain(one.submit)}; {plain(one.host)}"
                )
    if found.hops:
        hops = [
            (
                hop.host, f"{hop.begin} -> {hop.end}", hop.n, _shown(hop.median_ns),
                _shown(hop.aligned_ns), _shown(hop.uncertainty_ns),
                "" if hop.resolvable else "not resolvable",
            )
            for hop in found.hops
        ]  # fmt: skip
        names = ("host", "hop", "n", "median_s", "aligned_s", "+-_s", "")
        lines += ["", *table(names, hops)]
    return lines


def _shown(value: int | None) -> str:
    return "-" if value is None else f"{value / 1e9:.6f}"


def _seconds(value: int | None) -> float | None:
    return None if value is None else value / 1e9
