"""Draw docs/gallery/*.png again, and say their commands in docs/gallery.md.

    python docs/gallery/draw.py LONGTAIL_RUNINFO

The second run is not part of this repository: the path of its runinfo is given.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "gallery.md"
_COLOURS = 128  # chosen so that none of the picture's own is lost


class Shown(NamedTuple):
    """A picture of the gallery."""

    name: str
    run: str  # example or longtail
    arguments: str
    words: str


GALLERY = [
    Shown("states", "example", "states", "Where did my time go? How many tries were in each of "
          "Parsl's states over time: grey waits for other tasks, orange is queued, blue runs."),
    Shown("tasks", "example", "tasks", "The same, a row for each try."),
    Shown("workers", "longtail", "workers", "Are my workers busy? A lane for each worker, coloured "
          "by app. Worker 3 is the slow one; after 24 s a chain of tasks keeps but one busy."),
    Shown("utilization", "longtail", "utilization", "Busy workers, below those that are "
          "connected."),
    Shown("concurrency", "example", "concurrency", "How many at a time in each layer, from the "
          "workflow down to the running app."),
    Shown("rate", "longtail", "rate", "Events a second."),
    Shown("latency", "example", "latency --from launched --to running", "How long from one event "
          "to another, over time. Events are the columns of `parsl_try`, and `invoked`."),
    Shown("histogram", "longtail", "histogram --from running --to running_ended --log", "How many "
          "took how long."),
    Shown("kde", "longtail", "kde --from running --to running_ended --by worker_id --log", "The "
          "same as a density, one for each worker."),
    Shown("ecdf", "longtail", "ecdf --from running --to running_ended --by app --log", "The "
          "same as cumulative shares, which are easiest to compare."),
    Shown("boxes", "example", "boxes --where \"executor = 'htex'\"", "How long after it was "
          "invoked each end event of a task came."),
    Shown("compare", "longtail", "compare last last --from running --to running_ended "
          "--where-a \"worker_id < 3\" --where-b \"worker_id = 3\"", "Two runs, or two parts of "
          "one: the shift of quantiles, and what it means. `dnpcsql compare` says it in figures."),
    Shown("lifelines", "example", "lifelines --where \"executor = 'htex'\"", "NetLogger's "
          "lifelines: a line for each try, through the stages of its way. Flat is slow."),
    Shown("resources", "longtail", "resources --metric memory", "Memory of all tasks that run; "
          "also `--metric cpu`, `read`, `write`, or any metric by its name, `--by app`."),
    Shown("dependencies", "example", "dependencies", "What waits for what."),
    Shown("types", "example", "types", "What is in a database: the types of spans, what contains "
          "what, and which are accounts of one thing."),
]  # fmt: skip


def main() -> None:
    """Draw all, then write the page from its first heading to the end anew."""
    with tempfile.TemporaryDirectory() as scratch:
        databases = {"example": f"{scratch}/example.sqlite3", "longtail": f"{scratch}/long.sqlite3"}
        example = HERE.parent.parent / "examples" / "runinfo.tar.xz"
        _dnpcsql("--db", databases["example"], "import", str(example))
        _dnpcsql("--db", databases["longtail"], "import", sys.argv[1])
        for shown in GALLERY:
            png = HERE / f"{shown.name}.png"
            arguments = [*shlex.split(shown.arguments), "--dpi", "110", "-o", str(png)]
            _dnpcsql("--db", databases[shown.run], "plot", *arguments)
            few = (
                Image.open(png)
                .convert("RGB")
                .quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            )
            few.save(png, optimize=True)
            print(f"{png.name}: {png.stat().st_size / 1000:.0f} kB")
    head = PAGE.read_text(encoding="utf-8").partition("\n## ")[0].rstrip()
    parts = [
        f"## {shown.name}\n\n{shown.words}\n\n"
        f"```console\n$ dnpcsql plot {shown.arguments}\n```\n\n"
        f"![{shown.name}](gallery/{shown.name}.png)\n"
        for shown in GALLERY
    ]
    PAGE.write_text(head + "\n\n" + "\n".join(parts), encoding="utf-8")


def _dnpcsql(*arguments: str) -> None:
    command = [sys.executable, "-m", "dnpcsql", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
