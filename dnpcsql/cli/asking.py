"""Commands that print rows."""

from __future__ import annotations

import re
from pathlib import Path

import click

from dnpcsql.cli.output import format_option, write_rows
from dnpcsql.clock import local_text
from dnpcsql.errors import NotFoundError, QueryError
from dnpcsql.store import Store

_NUMBER = re.compile(r"-?\d{1,18}")


@click.command("query")
@click.argument("sql", metavar="SQL|VIEW|FILE.sql")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Value of :NAME.")
@format_option
@click.pass_obj
def query_command(db: str | None, sql: str, params: tuple[str, ...], format_: str) -> None:
    """Print the rows of SQL, or of a view or table, or of SQL in a file. Only reads.

    \b
    dnpcsql query "SELECT app, count(*) FROM parsl_task GROUP BY app"
    dnpcsql query parsl_try --format csv > tries.csv
    dnpcsql query "SELECT * FROM parsl_task WHERE app = :app" --param app=resize
    """
    if sql.endswith(".sql"):
        sql = _read(Path(sql))
    with Store(db) as store:
        result = store.query(sql, **dict(_pair(text) for text in params))
        write_rows(result.columns, result, format_)


@click.command("runs")
@format_option
@click.pass_obj
def runs_command(db: str | None, format_: str) -> None:
    """Print the runs that were imported, the earliest first."""
    with Store(db) as store:
        rows = [
            (
                run.id,
                run.number,
                run.name,
                None if run.started is None else local_text(round(run.started * 1e9)),
                None if run.ended is None else run.ended - (run.started or run.ended),
                run.tasks,
                run.host,
                run.user,
                run.parsl_version,
            )
            for run in store.runs()
        ]
    columns = (
        "run_id", "number", "name", "started_utc", "seconds", "tasks", "host", "user",
        "parsl_version",
    )  # fmt: skip
    write_rows(columns, rows, format_)


@click.command("tasks")
@click.argument("run", default="last")
@format_option
@click.pass_obj
def tasks_command(db: str | None, run: str, format_: str) -> None:
    """Print the tasks of a RUN, a line each; times are seconds since the run started."""
    with Store(db) as store:
        found = store.run(run)
        result = store.query(
            "SELECT task_id, app, state, tries, executor, invoked - :started AS invoked_s, "
            "returned - invoked AS seconds FROM parsl_task WHERE run_id = :run ORDER BY task_id",
            run=found.id,
            started=found.started,
        )
        write_rows(result.columns, result, format_)


@click.command("types")
@click.option("--relations", is_flag=True, help="How the types hang together.")
@format_option
@click.pass_obj
def types_command(db: str | None, relations: bool, format_: str) -> None:
    """Print the types of spans that there are, each with its events' types."""
    sql = (
        "SELECT * FROM span_type_relation"
        if relations
        else "SELECT span.type, count(DISTINCT span.uuid) AS spans, event.type AS event, "
        "count(event.type) AS events FROM span LEFT JOIN event ON event.span_uuid = span.uuid "
        "GROUP BY span.type, event.type ORDER BY span.type, events DESC, event.type"
    )
    with Store(db) as store:
        result = store.query(sql)
        write_rows(result.columns, result, format_)


@click.command("problems")
@click.option("--all", "every", is_flag=True, help="Each problem, not only each kind.")
@format_option
@click.pass_obj
def problems_command(db: str | None, every: bool, format_: str) -> None:
    """Print what was not understood, by kind, or each with its file and line."""
    sql = (
        "SELECT path || CASE WHEN line THEN ':' || line ELSE '' END AS place, kind, count, text "
        "FROM problem JOIN source ON source.id = source_id ORDER BY path, line, kind, text"
    )
    with Store(db) as store:
        result = store.query(sql if every else "SELECT * FROM problem_summary ORDER BY kind")
        result.all()
        write_rows(result.columns, result, format_)
        if not result.all():
            click.echo("no problems", err=True)


@click.command("sources")
@click.option("--messages", is_flag=True, help="What was read and not used, by shape.")
@format_option
@click.pass_obj
def sources_command(db: str | None, messages: bool, format_: str) -> None:
    """Print the files that were imported, and how well each was understood."""
    sql = (
        "SELECT source.path, shape.key AS message, json_extract(shape.value, '$[0]') AS count, "
        "iif(json_extract(shape.value, '$[1]'), 'left out', 'unknown') AS why "
        "FROM source, json_each(source.messages) AS shape "
        "ORDER BY source.path, why DESC, count DESC"
        if messages
        else "SELECT path, importer, lines, records, understood, problems, utc_offset, "
        "utc_offset_how FROM source ORDER BY path"
    )
    with Store(db) as store:
        result = store.query(sql)
        write_rows(result.columns, result, format_)


@click.command("views")
@click.argument("name", required=False)
def views_command(name: str | None) -> None:
    """Print what each view tells; of one view, all of it, and what each column does."""
    from dnpcsql.views import views

    known = {view.name: view for view in views()}
    if name is None:
        width = max(len(found) for found in known)
        for view in known.values():
            first, _, _ = view.about.partition(". ")
            click.echo(f"{view.name.ljust(width)}  {first.removesuffix('.')}.")
        return
    if name not in known:
        raise NotFoundError(f"no view {name}; there are: {', '.join(known)}")
    view = known[name]
    click.echo(f"{view.name}: {view.about}\n")
    width = max(len(column) for column in view.columns)
    for column, about in view.columns.items():
        click.echo(f"  {column.ljust(width)}  {about}")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFoundError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise QueryError(f"{path}: not UTF-8 text") from None


def _pair(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise QueryError(f"--param {text}: write it as NAME=VALUE")
    return name, int(value) if _NUMBER.fullmatch(value) else value
