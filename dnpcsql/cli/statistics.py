"""`dnpcsql stats` and `dnpcsql compare`: figures for people, and for CI."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from dnpcsql.cli.output import plain, seconds, table, text_or_rows_option, write_rows
from dnpcsql.store import Store

if TYPE_CHECKING:
    from dnpcsql.analyses.comparison import Comparison
    from dnpcsql.measures import Compared, Measured, Overview

SLOWER = 3  # the exit status of `compare --fail-above`

_FIGURES = ("mean", "p50", "p90", "p95", "p99", "min", "max")
_BOUNDED = ("mean", "p50", "p90", "p95", "p99")
_MOST_CORRELATIONS = 3
_WRAPPER = (
    "running → running_ended is Parsl's monitoring around the app's body: some 0.1 s longer than it"
)

_pair_options = (
    click.option("--where", metavar="SQL", help="Only these: a condition on columns of parsl_try."),
    click.option("--from", "begin", metavar="EVENT", help="The first of two events."),
    click.option("--to", "end", metavar="EVENT", help="The second one."),
    click.option("--by", metavar="COLUMN", help="Split by: app, executor, hostname, …"),
    click.option("--type", "type_", metavar="TYPE", help="Spans of this type, not a run's tasks."),
)


def _paired(command: click.Command) -> click.Command:
    for option in reversed(_pair_options):
        command = option(command)
    return command


@click.command("stats")
@click.argument("run", required=False)
@click.option("--intervals", is_flag=True, help="With 95 % bootstrap intervals.")
@text_or_rows_option
@click.pass_obj
def stats_command(
    db: str | None,
    run: str | None,
    where: str | None,
    begin: str | None,
    end: str | None,
    by: str | None,
    type_: str | None,
    intervals: bool,
    format_: str,
) -> None:
    """Print how long things of a RUN (the last one) took, in seconds, each phase of tasks.

    \b
    dnpcsql stats --by app
    dnpcsql stats last --from launched --to running --where "executor = 'htex'"
    dnpcsql stats --type workqueue.task --from WAITING --to RUNNING
    """
    with Store(db) as store:
        found = store.statistics(run, where=where, begin=begin, end=end, by=by, type=type_)
    columns, rows = _rows(found.durations, by, intervals)
    if format_ != "text":
        write_rows(columns, rows, format_)
        return
    click.echo("\n".join(_overview(found)))
    shown = [[f"{v:.6f}" if isinstance(v, float) else v for v in row] for row in rows]
    click.echo("\n" + "\n".join(table(columns, shown)))
    _say_what_goes_with_it(found)


def _rows(
    durations: list[Measured], by: str | None, intervals: bool
) -> tuple[list[str], list[list[object]]]:
    columns = ["from", "to", *([by] if by else []), "n", "missing", *_FIGURES]
    if intervals:
        columns += [f"{name}_{end}" for name in _BOUNDED for end in ("low", "high")]
    rows = []
    for one in durations:
        row: list[object] = [one.begin, one.end, *([one.group] if by else [])]
        row += [one.statistics.n, one.statistics.missing]
        row += [_number(getattr(one.statistics, name)) for name in _FIGURES]
        if intervals:
            known = one.statistics.intervals
            row += [end for name in _BOUNDED for end in known.get(name, (None, None))]
        rows.append(row)
    return columns, rows


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _overview(found: Overview) -> Iterator[str]:
    yield f"{plain(found.about)}: {_whole(found)}"
    if found.untold:
        known = ", ".join(found.told) or "none"
        yield f"no file tells of {' or '.join(found.untold)} of these; there are: {known}"
    if found.running is not None and found.running.n:
        ran = found.running
        told = "; ".join(f"{begin} → {end}" for begin, end in found.running_by)
        yield (
            f"running ({told}): at most {ran.peak} at a time, {seconds(ran.summed_s)} in all, "
            f"something ran for {seconds(ran.busy_s)}"
        )
    if found.workers is not None and found.workers.connected_s:
        used = found.workers
        yield (
            f"workers: {len(used.workers)}, {100 * used.share:.1f} % busy: "
            f"{seconds(used.busy_s)} of {seconds(used.connected_s)} of worker time, each from its "
            "registration or connection to its end"
        )
    if any(_of_monitoring(one.begin, one.end) and one.statistics.n for one in found.durations):
        yield _WRAPPER


def _of_monitoring(*events: str) -> bool:
    return not {"running", "running_ended"}.isdisjoint(events)


def _whole(found: Overview) -> str:
    whole, end = found.whole, found.durations[-1].end if found.durations else ""
    if not whole.n:
        return f"no {found.noun}"
    text = f"{whole.n} {found.noun} in {seconds(whole.makespan_s)}"
    if not math.isnan(whole.per_second) and whole.ended:
        text += f", {whole.per_second:.4f} a second"
    left = whole.n - whole.ended
    if not left or end in found.untold:
        return text
    ended = found.running is not None or end in ("returned", "end", "task_returned")
    return text + (f", {left} never ended" if ended else f", {left} without {end}")


def _say_what_goes_with_it(found: Overview) -> None:
    said = [one for one in found.correlations if one.p < 0.05][:_MOST_CORRELATIONS]
    if said:
        one = found.durations[-1]
        what = "running" if found.running is not None else f"{one.begin} → {one.end}"
        click.echo(f"\nwhat goes with long {what}:")
    for correlation in said:
        how = "rho" if correlation.kind == "rank" else "explains"
        strength = (
            f"{correlation.strength:+.2f}"
            if correlation.kind == "rank"
            else f"{100 * correlation.strength:.0f} % of the ranks"
        )
        click.echo(f"  {correlation.attribute}: {how} {strength}; {plain(correlation.words)}")


@click.command("compare")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--where-a", metavar="SQL", help="Only these of A.")
@click.option("--where-b", metavar="SQL", help="Only these of B.")
@click.option(
    "--fail-above",
    type=click.FloatRange(min=0),
    metavar="PERCENT",
    help="Exit with 3 if B's figure is that much above A's: not by chance, as far as its interval "
    "tells; a makespan is one value a run, which has none.",
)
@click.option(
    "--of",
    "figure",
    type=click.Choice([*_BOUNDED, "makespan"]),
    default="p50",
    show_default=True,
    help="Which figure --fail-above is about.",
)
@text_or_rows_option
@click.pass_obj
def compare_command(
    db: str | None,
    first: str,
    second: str,
    where: str | None,
    where_a: str | None,
    where_b: str | None,
    begin: str | None,
    end: str | None,
    by: str | None,
    type_: str | None,
    fail_above: float | None,
    figure: str,
    format_: str,
) -> None:
    """Print whether run B's durations are other than run A's, and what that means.

    Without --from, --to, --by and --type also in which phase of the tries the difference lies.

    Exit status: 0; with --fail-above 3 if B is slower by more than that; 1 for what you can mend.

    \b
    dnpcsql compare 003 004 --from running --to running_ended --by app
    dnpcsql compare last last --where-a "hostname = 'n1'" --where-b "hostname = 'n2'"
    dnpcsql compare 003 004 --of makespan --fail-above 10 || echo slower
    """
    from dnpcsql.measures import change

    with Store(db) as store:
        found = store.compare(
            first, second, where=where, where_first=where_a, where_second=where_b, begin=begin,
            end=end, by=by, type=type_,
        )  # fmt: skip
    change(found, "p50")  # says so if there is nothing to compare
    assert found.differs is not None
    if format_ == "text":
        click.echo("\n".join(_comparison(found)))
    else:
        columns = ("group", "figure", "a_s", "b_s", "shift_s", "low_s", "high_s", "percent",
                   "mann_whitney_p", "kolmogorov_smirnov_p", "cliffs_delta")  # fmt: skip
        parts = [(None, found.differs), *found.groups.items()]
        write_rows(columns, [row for name, one in parts for row in _shifts(name, one)], format_)
    if fail_above is not None:
        _judge(found, figure, fail_above)


def _shifts(group: str | None, one: Comparison) -> Iterator[tuple[object, ...]]:
    for shift in one.shifts:
        yield (
            group, shift.figure, shift.first_s, shift.second_s, shift.shift_s, *shift.interval_s,
            _number(100 * shift.ratio), one.mann_whitney_p, one.kolmogorov_smirnov_p,
            one.cliffs_delta,
        )  # fmt: skip


def _comparison(found: Compared) -> Iterator[str]:
    assert found.differs is not None
    sides = (found.differs.first, found.differs.second)
    for letter, name, side, whole in zip("AB", found.names, sides, found.wholes, strict=True):
        missing = f", {side.missing} without both" if side.missing else ""
        yield (
            f"{letter}  {plain(name)}: {side.n} {found.noun}{missing}, "
            f"makespan {seconds(whole.makespan_s)}"
        )
    yield f"\n{found.begin} → {found.end}, seconds; the shift with its 95 % interval"
    columns = ("", "A", "B", "shift", "from", "to", "%")
    rows = [
        (s.figure, *(f"{v:.6f}" for v in (s.first_s, s.second_s, s.shift_s, *s.interval_s)),
         "" if math.isnan(s.ratio) else f"{100 * s.ratio:+.1f}")
        for s in found.differs.shifts
    ]  # fmt: skip
    yield from table(columns, rows, indent="  ")
    if _of_monitoring(found.begin, found.end) or any(_of_monitoring(*one) for one in found.phases):
        yield f"  {_WRAPPER}"
    yield f"\n{found.begin} → {found.end}: {plain(found.differs.words)}"
    yield from _phases(found)
    for group, one in found.groups.items():
        yield f"  {plain(group)} (n {one.first.n}, {one.second.n}): {plain(one.words)}"


def _phases(found: Compared) -> Iterator[str]:
    """In which phase of tries the difference lies: means, as they add up."""
    if not found.phases:
        return
    yield "\nwhere the difference lies: means of tries in seconds; the shift with its 95 % interval"
    columns = ("phase", "n", "n", "A", "B", "shift", "from", "to", "%")
    rows = []
    for (begin, end), one in found.phases.items():
        s = one.shift("mean")
        rows.append((
            f"{begin} → {end}", one.first.n, one.second.n,
            *(f"{v:.6f}" for v in (s.first_s, s.second_s, s.shift_s, *s.interval_s)),
            "" if math.isnan(s.ratio) else f"{100 * s.ratio:+.1f}",
        ))  # fmt: skip
    yield from table(columns, rows, indent="  ")
    (begin, end), most = max(
        found.phases.items(), key=lambda item: abs(item[1].shift("mean").shift_s)
    )
    shift = most.shift("mean")
    if not any(one.shift("mean").certain for one in found.phases.values()):
        yield "  in no phase more than chance could make"
        return
    doubt = "" if shift.certain else ", which chance could make"
    yield f"  most of it in {begin} → {end}: {shift.shift_s:+.4g} s a try{doubt}"


def _judge(found: Compared, figure: str, limit: float) -> None:
    """End with 3 if B's figure is more than the limit above A's, and not by chance."""
    from dnpcsql.measures import change

    percent = change(found, figure)
    assert found.differs is not None
    certain = figure == "makespan" or found.differs.shift(figure).interval_s.low > 0
    verdict = f"{figure} of B is {_above(percent)} A's, limit {limit:g} % above"
    if percent > limit and certain:
        if figure == "makespan":
            verdict += "; one value a run, so nobody can say whether chance made it"
        click.echo(f"dnpcsql: slower: {verdict}", err=True)
        sys.exit(SLOWER)
    doubt = ", which chance could make" if percent > limit else ""
    click.echo(f"not slower: {verdict}{doubt}", err=True)


def _above(percent: float) -> str:
    return f"{abs(percent):.1f} % {'below' if percent < 0 else 'above'}"


stats_command = _paired(stats_command)
compare_command = _paired(compare_command)
