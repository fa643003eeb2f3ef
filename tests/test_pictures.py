"""Every kind of picture from real runs, through the store."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dnpcsql.errors import NotFoundError, UnreadableError
from dnpcsql.pictures import KINDS
from dnpcsql.store import Store
from tests.conftest import CORPUS, Case

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def stores(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Store]]:
    """A whole run, and one that was killed."""
    found = {}
    for name in ("parsl-2023.12.18-full", "parsl-2026.10.26-killed"):
        found[name] = Store(tmp_path_factory.mktemp(name) / "dnpc.sqlite3")
        found[name].import_(case(name))
    yield found
    for store in found.values():
        store.close()


@pytest.mark.parametrize("name", ["parsl-2023.12.18-full", "parsl-2026.10.26-killed"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_a_real_run(stores: dict[str, Store], name: str, kind: str) -> None:
    other = "last" if kind == "compare" else None
    picture = stores[name].plot(kind, "last", other)
    assert picture._repr_png_().startswith(b"\x89PNG")
    texts = " ".join(text.get_text() for text in picture.ax.texts)
    if kind not in ("types", "compare", "resources"):
        assert f"run {stores[name].run('last').id[:8]}" in texts


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "types"])
def test_every_kind_of_what_is_not_there(stores: dict[str, Store], kind: str) -> None:
    other = "last" if kind == "compare" else None
    picture = stores["parsl-2023.12.18-full"].plot(kind, "last", other, where="app = 'none'")
    texts = [text.get_text() for text in picture.ax.texts]
    assert any(text.startswith(("no ", "nothing to")) for text in texts) or kind in (
        "workers", "utilization",  # which show the workers that had nothing to do
    )  # fmt: skip


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_picture_is_the_same_file_whenever_it_is_drawn(
    stores: dict[str, Store], tmp_path: Path, suffix: str
) -> None:
    for name in ("one", "two"):
        stores["parsl-2023.12.18-full"].plot("rate").save(tmp_path / f"{name}.{suffix}")
    one, two = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("one", "two"))
    pattern = rb'(id|href|clip-path)="[^"]*"|url\(#[^)]*\)'  # of which matplotlib's svg draws some
    assert re.sub(pattern, b"", one) == re.sub(pattern, b"", two)


def test_states_and_hops_of_a_run_with_joins_and_retries(stores: dict[str, Store]) -> None:
    picture = stores["parsl-2023.12.18-full"].plot("states", detail=True)
    legend = picture.ax.get_legend()
    assert legend is not None
    told = [text.get_text().split("\n")[0] for text in legend.get_texts()]
    assert {"pending", "launched", "running"} <= set(told)


def test_spans_of_any_type_and_errors_for_people(stores: dict[str, Store], tmp_path: Path) -> None:
    store = stores["parsl-2023.12.18-full"]
    for kind in ("latency", "states", "concurrency", "rate", "tasks", "lifelines", "boxes"):
        store.plot(kind, type="parsl.monitoring.try")
    with pytest.raises(NotFoundError, match="no picture pie; there are: latency, histogram"):
        store.plot("pie")
    with pytest.raises(NotFoundError, match="no such time zone"):
        store.plot("states", wall="Mars/Olympus")
    with pytest.raises(NotFoundError, match="no readings of joules; there are: memory, "):
        store.plot("resources", metric="joules")
    with pytest.raises(NotFoundError, match="name two runs"):
        store.plot("compare")
    with pytest.raises(UnreadableError, match=r"a picture is \.png, \.svg, \.pdf"):
        store.plot("states").save(tmp_path / "states.gif")
    with pytest.raises(UnreadableError, match="No such file"):
        store.plot("states").save(tmp_path / "none" / "states.png")


def test_lanes_of_a_worker_that_has_two_tasks_at_once(case: Case, tmp_path: Path) -> None:
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(case("parsl-2026.10.26-workqueue"))
        picture = store.plot("workers")
        (label,) = [tick.get_text() for tick in picture.ax.get_yticklabels()]
        assert label.endswith("99 %")
        heights = {
            round(float(path.get_extents().height), 2)
            for drawn in picture.ax.collections
            for path in drawn.get_paths()
        }
        assert heights == {0.76, 0.38}  # connected; tasks beside one another
        texts = " ".join(text.get_text() for text in picture.ax.texts)
        assert "no file tells" not in texts  # three tries ran in threads, which are no workers
        assert store.plot("utilization").ax.get_title("left").startswith("Busy workers: 99.4 %")
        legend = store.plot("states", detail=True).ax.get_legend()
        assert legend is not None
        assert "queue_running" in {text.get_text() for text in legend.get_texts()}


def test_a_histogram_in_groups_and_ticks_that_need_no_other(stores: dict[str, Store]) -> None:
    store = stores["parsl-2023.12.18-full"]
    legend = store.plot("histogram", by="executor").ax.get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "executor"
    assert any(text.get_text().startswith("htex") for text in legend.get_texts())
    picture = store.plot("states", wall="UTC")
    axes = picture.ax
    picture._repr_png_()
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d(\.\d+)?", tick) for tick in ticks)
    assert re.fullmatch(r"time on \d{4}-\d\d-\d\d \(wall clock, UTC\)", axes.get_xlabel())


def test_no_run_but_spans(tmp_path: Path) -> None:
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.add([])
        with pytest.raises(NotFoundError, match=r"say which spans, --type TYPE, of: none"):
            store.plot("latency")


@pytest.mark.parametrize("name", [path.name for path in sorted(CORPUS.glob("parsl-*"))])
def test_a_corpus_run(name: str, tmp_path: Path) -> None:
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(CORPUS / name)
        for kind in KINDS:
            store.plot(kind, "last", "last" if kind == "compare" else None).save(tmp_path / "p.png")


def test_nothing_heavy_is_imported_for_a_command_that_does_not_draw() -> None:
    heavy = "{'numpy', 'scipy', 'matplotlib', 'pandas'} & set(sys.modules)"
    modules = "sys, dnpcsql, dnpcsql.cli.plotting, dnpcsql.cli.statistics"
    code = f"import {modules}; sys.exit(str({heavy} or ''))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.strip() == ""


def test_the_gallery_shows_every_kind_and_its_pictures_are_small() -> None:
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"$ dnpcsql plot {kind}" in page
    shown = re.findall(r"!\[.*?\]\((.*?)\)", page)
    assert len(shown) == len(KINDS)
    for path in shown:
        assert (ROOT / "docs" / path).stat().st_size < 60_000
