"""`dnpcsql task`: one task's whole life."""

from __future__ import annotations

import json

import click

from dnpcsql.cli.output import plain, seconds, text_or_rows_option, write_rows
from dnpcsql.identity import task_trace_id, trace_id_of
from dnpcsql.lives import Life
from dnpcsql.store import Store


@click.command("task")
@click.argument("run")
@click.argument("task", type=int)
@click.option("--trace-id", is_flag=True, help="Only the id of its trace in Jaeger.")
@text_or_rows_option
@click.pass_obj
def task_command(db: str | None, run: str, task: int, trace_id: bool, format_: str) -> None:
    """Print all that is known of a TASK of a RUN, event by event.

    Each line has the seconds since the task was invoked, the gap before the event, what
    happened, and the file and line that tell of it. `tie inferred` stands where no file says that
    it was this task's, but the process and the time, or the order, do. --trace-id: of the trace
    that `export otlp --trace-per task` gives the task.
    """
    with Store(db) as store:
        found = store.life(run, task)
    if trace_id:
        click.echo(task_trace_id(trace_id_of(found.run.id), task))
        return
    if format_ == "text":
        click.echo("\n".join(_text(found)))
        return
    rows = [
        (
            moment.time_unix_nano,
            moment.after_s,
            moment.gap_s,
            moment.try_id,
            moment.what,
            json.dumps(moment.told_by),
            moment.note,
        )
        for moment in found.moments
    ]
    columns = ("time_unix_nano", "after_s", "gap_s", "try_id", "what", "told_by", "note")
    write_rows(columns, rows, format_)


def _text(life: Life) -> list[str]:
    lines = [_head(life), ""]
    several = len(life.tries) > 1
    whats = [_what(moment.what, moment.try_id if several else None) for moment in life.moments]
    width = max((len(what) for what in whats), default=4)
    tellers = [", ".join(plain(name) for name in moment.told_by) for moment in life.moments]
    wide = max((len(teller) for teller in tellers), default=7)
    lines.append(f"   {'after':>10} {'gap':>10}  {'what'.ljust(width)}  told by")
    waited = False
    for moment, what, teller in zip(life.moments, whats, tellers, strict=True):
        remark = moment.note or ""
        if moment.what == "launched" and not waited:
            waited, remark = True, _waited(life, moment.time_unix_nano) or remark
        gap = "" if moment is life.moments[0] else f"{moment.gap_s:.6f}"
        lines.append(
            f"   {moment.after_s:>10.6f} {gap:>10}  {what.ljust(width)}  "
            f"{teller.ljust(wide)}  {remark}".rstrip()
        )
    if not life.moments:
        lines.append("   no event tells of it")
    return [*lines, *_waits_for(life)]


def _waits_for(life: Life) -> list[str]:
    """Of a task that was never launched: what it waits for, or which failure stopped it."""
    if life.task["tries"]:
        return []
    return [
        f"   waits for task {task} ({state or 'not known'})"
        if returned is None
        else f"   waited for task {task} ({state})"
        for task, state, returned in life.waited_for
    ]


def _head(life: Life) -> str:
    task = life.task
    duration = None
    if isinstance(task["invoked"], float) and isinstance(task["returned"], float):
        duration = task["returned"] - task["invoked"]
    last = life.tries[-1] if life.tries else {}
    places = [plain(task["executor"])] if task["executor"] else []
    places += [
        f"{word} {plain(last[column])}"
        for word, column in (
            ("block", "block_id"), ("manager", "manager_id"), ("worker", "worker_id"),
        )
        if last.get(column) is not None
    ]  # fmt: skip
    if last.get("hostname"):
        places.append(f"on {plain(last['hostname'])}")
    ended = "never returned" if duration is None else seconds(duration)
    parts = [f"task {task['task_id']}", plain(task["app"]), plain(task["state"]), ended]
    if task["tries"] != 1:
        parts.append(f"{task['tries']} tries")
    where = ", ".join(places)
    return "  ".join(parts) + f"   (run {life.run.id[:8]}{', ' if where else ''}{where})"


def _what(what: str, attempt: int | None) -> str:
    return what if attempt is None else f"try {attempt} {what}"


def _waited(life: Life, launched: int) -> str | None:
    """Which task, of those waited for, was the last to be done."""
    done = [(returned, task) for task, _, returned in life.waited_for if returned is not None]
    if not done:
        return None
    returned, task = max(done)
    return f"waited for task {task} (done {launched / 1e9 - returned:.3f} s before)"
