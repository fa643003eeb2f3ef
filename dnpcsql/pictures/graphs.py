"""Pictures of what hangs together: rows → plot."""

from __future__ import annotations

from matplotlib.axes import Axes

from dnpcsql import plots
from dnpcsql.pictures.asked import Asked
from dnpcsql.plots import style
from dnpcsql.run_rows import dependencies_of
from dnpcsql.subjects import about


def types(asked: Asked) -> Axes:
    """All types of the database, whatever the run."""
    counts: dict[str, int] = dict(
        asked.store.query("SELECT type, spans FROM span_type ORDER BY type").all()
    )
    relations = asked.store.query("SELECT * FROM span_type_relation ORDER BY 1, 2, 3").all()
    return plots.types(counts, relations, asked.ax, about=style.name(asked.store.path.name))


def dependencies(asked: Asked) -> Axes:
    """Tasks, and what they wait for."""
    run = asked.store.run(asked.run or "last")
    nodes, edges = dependencies_of(asked.store, run, asked.where, asked.by or "app")
    return plots.dependencies(nodes, edges, asked.ax, about=style.name(about(run), 110))
