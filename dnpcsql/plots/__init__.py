"""DRAW: numbers in, a matplotlib Axes out. Nothing here asks a database or saves a file.

Each function takes its data and, if you have one, an `ax`, draws, and returns the Axes. None
changes matplotlib's settings or shows a window. Above 50,000 marks they draw densities instead.
"""

from __future__ import annotations

from dnpcsql.plots.comparison import comparison
from dnpcsql.plots.dependencies import dependencies
from dnpcsql.plots.distributions import boxes, ecdf, histogram, kde
from dnpcsql.plots.gantt import tasks, workers
from dnpcsql.plots.latency import latency
from dnpcsql.plots.lifelines import lifelines
from dnpcsql.plots.over_time import concurrency, rate, resources, states, utilization
from dnpcsql.plots.style import Clock
from dnpcsql.plots.types import types

__all__ = [
    "Clock",
    "boxes",
    "comparison",
    "concurrency",
    "dependencies",
    "ecdf",
    "histogram",
    "kde",
    "latency",
    "lifelines",
    "rate",
    "resources",
    "states",
    "tasks",
    "types",
    "utilization",
    "workers",
]
