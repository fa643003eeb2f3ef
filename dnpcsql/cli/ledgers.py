"""`dnpcsql ledger`: where all tasks' wall time went, exactly."""

from __future__ import annotations

import click

from dnpcsql.analyses.path import ABOUT
from dnpcsql.answers.ledger import BY, Ledger, caveats
from dnpcsql.cli.output import seconds, table, text_or_rows_option, write_rows
from dnpcsql.store import Store


@click.command("ledger")
@click.argument("run", default="last")
@click.option("--by", type=click.Choice(BY), help="Split by what.")
@click.option("--task", type=int, help="Of one task only.")
@click.option("--hops", is_flag=True, help="Each hop, not only phases.")
@text_or_rows_option
@click.pass_obj
def ledger_command(
    db: str | None, run: str, by: str | None, task: int | None, hops: bool, format_: str
) -> None:
    """Split the wall time of a RUN's tasks over the phases of their way, without overlap.

    The rows add up to the whole, to the nanosecond. Moments are taken in one order, each moved
    forward to the latest before it; what it was moved by is "clipped" and in no sum. "wall" is how
    long at least one task was there: phases overlap, so it does not add up.
    """
    with Store(db) as store:
        found = store.ledger(run, by=by, task=task)
    if format_ != "text":
        columns = ("group", "phase", "begin", "end", "what", "hops", "lasts_ns", "clipped_ns",
                   "union_ns")  # fmt: skip
        write_rows(columns, found.lines, format_)
        return
    click.echo("\n".join(_text(found, hops)))


def _text(found: Ledger, hops: bool) -> list[str]:
    whole = (
        f"{found.tasks} tasks, {found.tries} tries: {seconds(found.wall_ns / 1e9)} of their time"
    )
    lines = [f"{whole} in {seconds(found.elapsed_ns / 1e9)}   (run {found.run.id[:8]})", ""]
    if found.by is not None:
        lines += _by_group(found)
    elif hops:
        lines += _hops(found)
    else:
        lines += _phases(found)
    return lines + [f"note: {said}" for said in caveats(found)]


def _phases(found: Ledger) -> list[str]:
    rows = [
        (
            name,
            _seconds(lasts),
            _share(lasts, found.wall_ns),
            _seconds(clipped),
            _seconds(found.phase_union_ns.get(("all", name), 0)),
            ABOUT[name],
        )
        for name, (lasts, clipped, _) in found.totals().items()
    ]
    rows.append(("all", _seconds(found.wall_ns), _share(1, 1), "", "", ""))
    return table(("phase", "task_s", "%", "clipped_s", "wall_s", "what"), rows)


def _hops(found: Ledger) -> list[str]:
    rows = [
        (
            line.phase,
            f"{line.begin} > {line.end}",
            str(line.hops),
            _seconds(line.lasts_ns),
            _share(line.lasts_ns, found.wall_ns),
            _seconds(line.clipped_ns),
            _seconds(line.union_ns),
        )
        for line in found.lines
    ]
    rows.append(("all", "", "", _seconds(found.wall_ns), _share(1, 1), "", ""))
    return table(("phase", "hop", "n", "task_s", "%", "clipped_s", "wall_s"), rows)


def _by_group(found: Ledger) -> list[str]:
    phases = list(found.totals())
    parts = found.by_phase()
    rows = []
    for group, lasts in found.groups().items():
        mine = (parts.get((group, name)) for name in phases)
        cells = ["" if part is None else _seconds(part) for part in mine]
        rows.append((group, _seconds(lasts), *cells))
    own = found.totals()
    rows.append(("all", _seconds(found.wall_ns), *(_seconds(own[name][0]) for name in phases)))
    return table((str(found.by), "task_s", *phases), rows)


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e9:.3f}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else ""
