"""`dnpcsql critical`: what a run's length hung on, and what would have made it shorter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dnpcsql.cli.output import plain, table, text_or_rows_option, write_rows
from dnpcsql.store import Store

if TYPE_CHECKING:
    from dnpcsql.answers.critical import Critical

_SHOWN = 20


@click.command("critical")
@click.argument("run", default="last")
@click.option("--slack", is_flag=True, help="Each task: how much later it could have been done.")
@click.option("--faster", multiple=True, metavar="APP", help="What if this app took half the time.")
@text_or_rows_option
@click.pass_obj
def critical_command(
    db: str | None, run: str, slack: bool, faster: tuple[str, ...], format_: str
) -> None:
    """Print the critical path of a RUN, and what if it ran otherwise.

    The path leads from the first call of an app to the last task's end, without a gap: what the
    last task waited for last, what that one waited for, and so on.
    """
    with Store(db) as store:
        found = store.critical(run, faster=faster)
    if slack:
        rows = sorted(
            zip(found.slack_ns, found.tasks.tolist(), found.apps, strict=True),
        )
        names = ("task_id", "app", "slack_ns")
        shown = [(task, app, lasts) for lasts, task, app in rows]
        write_rows(names, shown, "table" if format_ == "text" else format_)
        return
    if format_ != "text":
        columns = ("task_id", "app", "kind", "begins_unix_nano", "lasts_ns")
        rows_ = [
            (int(found.tasks[one.task]), found.apps[one.task], one.kind, one.begins,
             one.ends - one.begins)
            for one in found.path
        ]  # fmt: skip
        write_rows(columns, rows_, format_)
        return
    click.echo("\n".join(_text(found)))


def _text(found: Critical) -> list[str]:
    from dnpcsql.analyses.critical import ABOUT
    from dnpcsql.answers.critical import caveats

    on_path = len({stretch.task for stretch in found.path})
    head = f"{_seconds(found.makespan_ns)} s from the first call to the last end"
    of = f"{on_path} of {found.tasks.size} tasks"
    lines = [f"{head}, along {of}   (run {found.run.id[:8]})", ""]
    whole = max(found.makespan_ns, 1)
    rows = [
        (kind, _seconds(lasts), f"{100 * lasts / whole:.1f}", ABOUT[kind])
        for kind, lasts in found.kinds_ns().items()
    ]
    lines += table(("on the path", "s", "%", ""), rows)
    work = ", ".join(f"{plain(app)} {_seconds(ns)} s" for app, ns in found.apps_ns().items())
    lines += [f"  work on the path: {work or 'none'}", "", "the longest stretches of it"]
    longest = sorted(found.path, key=lambda one: one.begins - one.ends)[:_SHOWN]
    rows_ = [
        (
            int(found.tasks[one.task]), plain(found.apps[one.task]), one.kind,
            f"{(one.begins - found.begins) / 1e9:.3f}", _seconds(one.ends - one.begins),
        )
        for one in longest
    ]  # fmt: skip
    lines += table(("task", "app", "what", "from_s", "s"), rows_, indent="  ")
    chain = f"{_seconds(found.chain_ns)} s in {len(found.chain)} tasks"
    lines.append(f"\nmost work along one chain of dependencies: {chain}")
    lines.append(f"all work: {_seconds(found.work_ns)} s\n")
    what_if = [
        (plain(one.name), _seconds(one.makespan_ns), _seconds(-one.gain_ns))
        for one in found.replays
    ]
    lines += table(("what if (replay)", "s", "change_s"), what_if)
    return lines + [f"note: {plain(said)}" for said in caveats(found)]


def _seconds(value: int) -> str:
    return f"{value / 1e9:.3f}"
