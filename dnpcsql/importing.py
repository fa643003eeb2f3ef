"""`dnpcsql import`: from paths to sources in the store."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dnpcsql import fingerprints, rotated, sources, trees
from dnpcsql.clock import named
from dnpcsql.errors import DnpcsqlError, NotFoundError, QueryError, UnreadableError
from dnpcsql.importers import Importer
from dnpcsql.importers.choice import Choice
from dnpcsql.importers.context import Context
from dnpcsql.layout import Layout, Zones
from dnpcsql.records import Problem, Record
from dnpcsql.sources import Source
from dnpcsql.trees import Found, Tree

if TYPE_CHECKING:
    from dnpcsql.store import Store

Progress = Callable[[str, int, int, int], None]
"""Called with a file's name, bytes done, bytes in all, records written of this file."""


@dataclass
class Importing:
    """What an import did."""

    added: list[Source] = field(default_factory=list)
    unchanged: list[Source] = field(default_factory=list)
    not_imported: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # importer, table
    seconds: float = 0.0

    @property
    def problems(self) -> int:
        """How many things were not understood, in the files that were read."""
        return sum(source.problems for source in self.added) + len(self.failed)

    @property
    def unknown(self) -> int:
        """How many records of the files that were read are of wordings not known here."""
        unused = (use for source in self.added for use in source.unused().values())
        return sum(count for count, known in unused if not known)


def import_paths(
    store: Store,
    paths: Sequence[Path],
    *,
    timezone: Sequence[str] = (),
    last: bool = False,
    run: str | None = None,
    importer: str | None = None,
    progress: Progress | None = None,
) -> Importing:
    """What `Store.import_` does; its options are explained there."""
    began = time.perf_counter()
    summary = Importing()
    choice = Choice(importer)
    with tempfile.TemporaryDirectory(prefix="dnpcsql-") as scratch:
        tree = trees.walk(paths, Path(scratch))
        summary.failed += tree.unreadable
        files = trees.of_run(tree.files, run) if last or run is not None else tree.files
        layout = Layout(zones_of(timezone, tree), only_runs=_wanted(files) if last or run else None)
        work = _recognised(files, choice, summary)
        if not work:
            raise _nothing(paths, summary)
        _Session(store, layout, summary, progress).read(work)
    # A file may be told of a problem by one that was read after it: a zone that cannot be.
    now = {source.id: source for source in store.sources()}
    summary.added = [now.get(source.id, source) for source in summary.added]
    summary.seconds = time.perf_counter() - began
    return summary


def _recognised(
    files: Sequence[Found], choice: Choice, summary: Importing
) -> list[tuple[Found, Importer]]:
    """The files that an importer knows; the others are noted."""
    work = []
    for found in files:
        try:
            known = choice.of(found.path)
        except OSError as error:
            summary.failed.append(f"{found.shown}: {error.strerror}")
            continue
        if known is None:
            summary.not_imported.append(found.shown)
        else:
            work.append((found, known))
    return work


class _Session:
    """One import's files, one after the other."""

    def __init__(
        self, store: Store, layout: Layout, summary: Importing, progress: Progress | None
    ) -> None:
        self._store = store
        self._layout = layout
        self._summary = summary
        self._progress = progress
        self._done = 0
        self._total = 0
        self._counts: dict[str, Counter[tuple[str, str]]] = {}  # by path

    def read(self, work: Sequence[tuple[Found, Importer]]) -> None:
        """Read all files that are new or have changed."""
        self._total = sum(_size(found.path) for found, _ in work)
        before = sources.all_of(self._store.writing())
        emptied = rotated.emptied(before, self._summary.not_imported)
        if emptied:
            self._store.remove(emptied)
        self._read_all(work)
        self._read_again(work, before, {source.path for source in emptied})
        for counts in self._counts.values():
            self._summary.counts.update(counts)

    def _read_again(
        self, work: Sequence[tuple[Found, Importer]], before: Sequence[Source], emptied: set[str]
    ) -> None:
        """The logs of one run that have to be read together, if all are at hand."""
        now = sources.all_of(self._store.writing())
        changed = {source.path for source in self._summary.added} | emptied
        at_hand = {found.shown for found, _ in work} | emptied
        for together in rotated.torn(before, now, changed):
            if together <= at_hand:
                self._store.remove([source for source in now if source.path in together])
                added = self._summary.added
                self._summary.added = [old for old in added if old.path not in together]
                self._read_all([entry for entry in work if entry[0].shown in together])

    def _read_all(self, work: Sequence[tuple[Found, Importer]]) -> None:
        for found, importer in work:
            try:
                self._read_one(found, importer)
            except (UnreadableError, OSError) as error:
                reason = getattr(error, "strerror", None)
                self._summary.failed.append(f"{found.shown}: {reason}" if reason else str(error))
                self._remember(found, importer)
            self._done += _size(found.path)
            self._tell(found, 0)

    def _remember(self, found: Found, importer: Importer) -> None:
        """A file that could not be read is a problem as long as it cannot."""
        if sources.by_path(self._store.writing(), found.shown) is None:
            source = Source(path=found.shown, importer=importer.name, fingerprint="")
            self._store.add_source(source, [Problem(None, "not read", self._summary.failed[-1])])

    def _read_one(self, found: Found, importer: Importer) -> None:
        known = sources.by_path(self._store.writing(), found.shown)
        already = frozenset(json.loads(known.runs)) if known is not None else frozenset()
        context = self._layout.context(found.path, already)
        source = self._unchanged(found, importer, context, known)
        if source is None:
            return
        added, counts = self._store.add_source(
            source,
            _guarded(importer, found, context),
            progress=lambda count: self._tell(found, count),
            anchored=importer.anchors,
        )
        self._summary.added.append(added)
        self._counts[found.shown] = Counter(
            {(importer.name, table): count for table, count in counts.items()}
        )

    def _unchanged(
        self, found: Found, importer: Importer, context: Context, known: Source | None
    ) -> Source | None:
        """The source to be read; None if it was read before, as it is."""
        size, modified = fingerprints.state(found.path)
        connection = self._store.writing()
        # Another release of ours may understand more of the same file.
        release = importer.version or version("dnpcsql")
        surroundings = f"{importer.name} {release} {context.key}"
        if (
            known is not None
            and (known.size, known.modified_unix_nano) == (size, modified)
            and known.fingerprint.endswith(surroundings)
        ):
            self._summary.unchanged.append(known)
            return None
        content = fingerprints.of_content(found.path)
        source = Source(
            path=found.shown,
            importer=importer.name,
            fingerprint=f"{content} {surroundings}",
            size=size,
            modified_unix_nano=modified,
            utc_offset=context.clock.describe() or None,
            utc_offset_how=context.clock.how,
        )
        if size and importer.by_content:
            for other in sources.same_content(connection, source.fingerprint):
                if rotated.is_of_another_name(other, source.path):
                    continue
                sources.seen_again(self._store, other, source)
                self._summary.unchanged.append(other)
                return None
        if context.run_id is not None:
            sources.replace_torn(self._store, source)
        return source

    def _tell(self, found: Found, records: int) -> None:
        if self._progress is not None:
            self._progress(found.shown, self._done, self._total, records)


def _guarded(importer: Importer, found: Found, context: Context) -> Iterator[Record]:
    """An importer's records; its own mistakes are told as errors of that file."""
    try:
        yield from importer.read(found.path, context)
        if found.is_cut:
            yield Problem(None, "cut off", "its archive ends or is damaged here: the rest is lost")
    except (DnpcsqlError, OSError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableError(f"{found.shown}: {_where(error)}") from error


def _where(error: Exception) -> str:
    """An importer's own mistake, in one line: what, and where in its code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
    return f"the importer failed: {type(error).__name__}: {error}{place}"


def zones_of(given: Sequence[str], tree: Tree) -> Zones:
    """What `--timezone` says. Raises QueryError or NotFoundError."""
    zones = Zones()
    below: dict[Path, str] = {}
    for text in given:
        path, equals, zone = text.rpartition("=")
        try:
            named(zone, "given")
        except ValueError as error:
            raise QueryError(f"--timezone {text}: {error}") from None
        if equals:
            if not Path(path).exists():
                raise NotFoundError(f"--timezone {text}: no such path: {path}")
            below |= {Path(path).absolute(): zone, Path(path).resolve(): zone}
        else:
            zones.everywhere = zone
    for place in sorted(below, key=lambda place: len(place.parts)):
        for read_at in (place, *tree.read_at(place)):
            zones.below[read_at] = below[place]
    return zones


def _wanted(files: Sequence[Found]) -> frozenset[Path]:
    return frozenset(parent for found in files for parent in found.path.parents)


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def _nothing(paths: Sequence[Path], summary: Importing) -> NotFoundError:
    kinds = Counter(PurePosixPath(name).suffix or "no suffix" for name in summary.not_imported)
    listed = ", ".join(kind for kind, _ in kinds.most_common(5))
    count = len(summary.not_imported)
    what = f"{count} file{'s' * (count != 1)}: {listed}" if count else "no files"
    failed = "".join(f"; {text}" for text in summary.failed[:3])
    named_ = ", ".join(str(path) for path in paths)
    return NotFoundError(
        f"{named_}: nothing here that dnpcsql knows ({what}){failed}. A log of your own? See "
        f'"Adding a source": dnpcsql import {named_} --importer my.toml'
    )
