"""`dnpcsql import` and `dnpcsql forget`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

import click

from dnpcsql.cli import funcx
from dnpcsql.cli.output import plain, seconds, table
from dnpcsql.clock import local_text
from dnpcsql.importing import Importing, Progress
from dnpcsql.runs import Run
from dnpcsql.store import Store

_SHOWN = 5

# Directories of many files alike.
_CROWDED = frozenset({"submit_scripts", "task_logs", "certificates", "function_data"})

# A kind of account, the kind and type that show that there was such a thing, and what it tells.
_ACCOUNTS = (
    ("11", "2", "%", "monitoring.db (when apps ran on their workers, resource use, hosts)"),
    ("21", "1", "%", "parsl.log (executors' own task ids, tracebacks, blocks, the zone)"),
    ("38", "28", "%.rundir.%", "the executor's interchange.log (the way to the workers and back)"),
    ("58", "28", "%.rundir.%", "the executor's worker logs (which worker ran what)"),
    ("6a", "28", "%.workqueue.%", "the executor's transaction_log (which worker ran what, when)"),
    ("6a", "28", "%.taskvine.%", "TaskVine's transactions (which worker ran what, when)"),
)


@click.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--timezone",
    multiple=True,
    metavar="TZ|PATH=TZ",
    help="Zone of times that show none: for all files, or for those below a path. "
    "Like Europe/Berlin, +05:30, or local (this machine's).",
)
@click.option("--last", is_flag=True, help="Of a runinfo only the last run.")
@click.option("--run", metavar="NNN", help="Of a runinfo only the run of this number.")
@click.option(
    "--importer",
    metavar="NAME|FILE.py|FILE.toml",
    help="Read every file by this importer, or your own.",
)
@click.option("--dry-run", is_flag=True, help="Show what a FILE.toml is for, and keep nothing.")
@click.option("--strict", is_flag=True, help="Exit 1 if anything was not understood.")
@click.pass_obj
def import_command(
    db: str | None,
    paths: tuple[str, ...],
    timezone: tuple[str, ...],
    last: bool,
    run: str | None,
    importer: str | None,
    dry_run: bool,
    strict: bool,
) -> None:
    """Read what a run left behind: a runinfo, a file, an archive of them.

    Files that were read before and have not changed are not read again; one that has grown is.
    What is not understood is counted and kept: `dnpcsql problems`.

    \b
    dnpcsql import runinfo
    dnpcsql import run.tar.gz --timezone America/Chicago
    dnpcsql import logs/ --importer my.toml
    """
    if dry_run:
        from dnpcsql.cli.trying import try_out

        try_out(paths, importer, timezone)
        return
    with Store(db) as store, _progress() as progress:
        done = store.import_(
            *paths,
            timezone=timezone,
            last=last,
            run=run,
            importer=importer,
            progress=progress,
        )
        if done.added:
            click.echo(_rate(done), err=True)
        click.echo("\n".join(_summary(store, done)))
    if strict and (done.problems or done.unknown):
        click.echo(
            f"dnpcsql: --strict: {done.problems} problems, {done.unknown} unknown messages",
            err=True,
        )
        sys.exit(1)


@click.command("forget")
@click.argument("name", metavar="RUN|SOURCE")
@click.pass_obj
def forget_command(db: str | None, name: str) -> None:
    """Take a run, or a source (its path, or the end of it), out of the database again."""
    with Store(db) as store:
        for source in store.forget(name):
            click.echo(f"forgot {plain(source.path)}")


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A bar on a terminal; nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("reading {task.fields[file]}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[records]:,} records"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", file="", records=0, total=None)

        def tell(file: str, done: int, total: int, records: int) -> None:
            bar.update(task, completed=done, total=total, file=file[-40:], records=records)

        yield tell


def _summary(store: Store, done: Importing) -> list[str]:
    lines = [_run_line(run) for run in store.runs() if _touched(done, run)]
    if done.added:
        lines += [*([""] if lines else []), *_sources(done)]
    lines += _kinds(store, done) + _left_out(done)
    lines += _missing(store, done)
    lines += funcx.told(store, done)
    lines += _clocks(done)
    kept = len(done.unchanged)
    if kept:
        lines.append(f"{kept} file{'s' * (kept != 1)} unchanged since an earlier import")
    lines.append(_next(store, done))
    return [line.rstrip() for line in lines]


def _touched(done: Importing, run: Run) -> bool:
    part = run.id[-12:]
    return any(part in source.runs for source in (*done.added, *done.unchanged))


def _run_line(run: Run) -> str:
    started = "?" if run.started is None else f"{local_text(round(run.started * 1e9))[:19]} UTC"
    lasted = (
        "never ended"
        if run.started is None or run.ended is None
        else seconds(run.ended - run.started)
    )
    name = f'"{plain(run.name)}"  ' if run.name else ""
    number = f"{run.number}  " if run.number else ""
    if not run.tasks and run.name is None:
        return f"run {run.id[:8]}  {started}  an executor of which no file names the run"
    return f"run {run.id[:8]}  {number}{name}{started}  {run.tasks:,} tasks  {lasted}"


def _sources(done: Importing) -> list[str]:
    rows = []
    for name in sorted({source.importer for source in done.added}):
        of = [source for source in done.added if source.importer == name]
        rows.append(
            (
                name,
                len(of),
                f"{done.counts[name, 'span']}",
                f"{done.counts[name, 'event']}",
                sum(source.problems for source in of),
            )
        )
    return table(("source", "files", "spans", "events", "problems"), rows, indent="  ")


def _kinds(store: Store, done: Importing) -> list[str]:
    """The problems of what was read now, by kind."""
    rows = store.query(
        "SELECT kind, sum(count) FROM problem "
        "WHERE source_id IN (SELECT value FROM json_each(:ids)) GROUP BY kind ORDER BY kind",
        ids=json.dumps([source.id for source in done.added]),
    ).all()
    return (
        [f"  problems: {', '.join(f'{count} {plain(kind)}' for kind, count in rows)}"]
        if rows
        else []
    )


def _left_out(done: Importing) -> list[str]:
    lines = []
    if done.not_imported:
        count = len(done.not_imported)
        names = sorted({_pattern(path) for path in done.not_imported})
        more = ", …" if len(names) > _SHOWN else ""
        listed = ", ".join(plain(name) for name in names[:_SHOWN])
        lines.append(f"  not imported: {count} file{'s' * (count != 1)} ({listed}{more})")
    lines += [f"  not read: {plain(text)}" for text in done.failed]
    unknown = done.unknown
    if unknown:
        lines.append(
            f"  not understood: {unknown} record{'s' * (unknown != 1)} of wordings not known here: "
            "`dnpcsql sources --messages`"
        )
    return lines


def _pattern(path: str) -> str:
    """A file's name, or what stands for many of its kind: `submit_scripts/*.sh.out`."""
    *folders, name = path.split("/")
    folder = next((found for found in folders if found in _CROWDED), None)
    if folder is None:
        return name
    suffix = name[name.find(".sh") :] if ".sh" in name else PurePosixPath(name).suffix
    return f"{folder}/*{suffix}"


def _missing(store: Store, done: Importing) -> list[str]:
    """What was not there to be read, and what it would have told."""
    lines = []
    for run in store.runs():
        if not _touched(done, run):
            continue
        for kind, needed_by, type_, text in _ACCOUNTS:
            if _has(store, run, needed_by, type_) and not _has(store, run, kind):
                lines.append(f"  missing of run {run.id[:8]}: {text}")
    return lines


def _has(store: Store, run: Run, kind: str, type_: str = "%") -> bool:
    """Whether spans of a kind (see identity.py), and of a type, were told of."""
    sql = (
        "SELECT EXISTS (SELECT 1 FROM span "
        "WHERE uuid BETWEEN :first AND :first || 'g' AND type LIKE :type)"
    )
    return bool(store.query(sql, first=f"{run.id[-12:]}{kind}", type=type_).value())


def _clocks(done: Importing) -> list[str]:
    said = {
        (source.utc_offset, source.utc_offset_how)
        for source in done.added
        if source.utc_offset_how and source.importer != "submit script"
    }
    texts = [f"{offset or ''} ({how})".strip() for offset, how in sorted(said, key=str)]
    return [f"clocks: {'; '.join(texts)}"] if texts else []


def _rate(done: Importing) -> str:
    lines = sum(source.lines for source in done.added)
    records = sum(done.counts.values())
    rate = records / done.seconds if done.seconds else 0
    read = f"read {lines:,} lines, " if lines else ""
    return f"{read}wrote {records:,} records in {seconds(done.seconds)}, {rate:,.0f} a second"


def _next(store: Store, done: Importing) -> str:
    told = ""
    if done.problems:
        told = f"{done.problems} problem{'s' * (done.problems != 1)}: `dnpcsql problems`      "
    runs = [run for run in store.runs() if _touched(done, run)]
    if runs and runs[-1].tasks:
        run = runs[-1].id[:8]
        return f"{told}next: `dnpcsql tasks {run}`, `dnpcsql task {run} 0`, `dnpcsql sequences`"
    return f"{told}next: `dnpcsql types`, `dnpcsql sequences [TYPE]`, `dnpcsql views`"
