"""The files below what was named to be imported: links followed once, archives unpacked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dnpcsql.archives import inner_name, is_archive, unpack
from dnpcsql.errors import DnpcsqlError, NotFoundError
from dnpcsql.rundirs import finder, is_numbered


@dataclass(frozen=True)
class Found:
    """A file: where it is read, how it is called to people, and whether the archive that it was
    unpacked from ends in its midst."""

    path: Path
    shown: str
    is_cut: bool = False


@dataclass
class Tree:
    """All files below some paths, in an order of their own."""

    files: list[Found] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    unpacked: dict[Path, Path] = field(default_factory=dict)
    """Places in scratch, and what stands there: an archive, or a directory that holds some."""

    def read_at(self, place: Path) -> list[Path]:
        """Where the files at or below a place are read, if not there."""
        found = []
        for scratch, stands_for in self.unpacked.items():
            if stands_for.is_relative_to(place):
                found.append(scratch)
            elif place.is_relative_to(stands_for):
                found.append(scratch / place.relative_to(stands_for))
        return found


def walk(paths: Iterable[Path], scratch: Path) -> Tree:
    """Find all files. Raises NotFoundError for a path that is not there."""
    tree = Tree()
    for number, named in enumerate(paths):
        if not named.exists():
            raise NotFoundError(f"no such file or directory: {named}")
        path, place = named.resolve(), scratch / f"{number}"
        if path.is_dir():
            _walk_directory(tree, path, place)
        elif is_archive(path):
            _unpack(tree, path, place)
        else:
            tree.files.append(Found(path, _shown(path)))
    unique = {found.shown: found for found in tree.files}
    tree.files = sorted(unique.values(), key=lambda found: found.shown)
    return tree


def _walk_directory(tree: Tree, root: Path, scratch: Path) -> None:
    """Files below a directory. If any is compressed, a mirror of the tree holds what it unpacks
    to, for a log is understood by what lies around it."""
    files = list(_files(root, tree.unreadable))
    if not any(is_archive(file) for file in files):
        tree.files += [Found(file, _shown(file)) for file in files]
        return
    mirror = scratch / root.name
    tree.unpacked[mirror] = root
    present = set(files)
    for file in files:
        mirrored = mirror / file.relative_to(root)
        if not is_archive(file):
            mirrored.parent.mkdir(parents=True, exist_ok=True)
            mirrored.symlink_to(file)
            tree.files.append(Found(mirrored, _shown(file)))
        elif not _is_one_file(file):
            _unpack(tree, file, mirrored)
        elif file.with_name(inner_name(file)) in present:
            tree.unreadable.append(f"{file}: {inner_name(file)} is there too, and was read instead")
        else:
            _unpack(tree, file, mirrored.parent)


def _is_one_file(archive: Path) -> bool:
    """A compressed log takes the place of the log; an archive becomes a folder."""
    return archive.suffix.lower() == ".gz" and Path(archive.stem).suffix.lower() != ".tar"


def _unpack(tree: Tree, archive: Path, target: Path) -> None:
    try:
        place, missing, cut = unpack(archive, target)
    except (DnpcsqlError, OSError) as error:
        tree.unreadable.append(str(error))
        return
    tree.unreadable += missing
    tree.unpacked[place] = archive
    if place.is_file():
        tree.files.append(Found(place, f"{_shown(archive)}!/{inner_name(archive)}", place == cut))
        return
    for file in _files(place, tree.unreadable):
        inside = _shown(file.relative_to(place))
        tree.files.append(Found(file, f"{_shown(archive)}!/{inside}", file == cut))


def _shown(path: Path) -> str:
    """A path as text that any database and terminal takes: names need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _files(root: Path, unreadable: list[str]) -> Iterator[Path]:
    """Every file once, though links may lead round in circles."""
    seen: set[tuple[int, int]] = set()

    def failed(error: OSError) -> None:
        unreadable.append(f"{error.filename}: {error.strerror}")

    for folder, folders, names in os.walk(root, followlinks=True, onerror=failed):
        here = Path(folder).stat()
        if (here.st_dev, here.st_ino) in seen:
            folders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        folders[:] = [
            name for name in sorted(folders) if not _found_anyway(Path(folder, name), root)
        ]
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_symlink() and not path.exists():
                unreadable.append(f"{path}: a link that leads nowhere")
            elif path.is_file() and not _found_anyway(path, root):
                yield path


def _found_anyway(path: Path, root: Path) -> bool:
    """Whether a path is a link to a place in the same tree, or to one that the tree lies in."""
    if not path.is_symlink():
        return False
    target = path.resolve()
    return target.is_relative_to(root) or root.is_relative_to(target)


def of_run(files: Iterable[Found], number: str | None) -> list[Found]:
    """Files of the run in directory `number` (None: of the highest), and of no run's directory."""
    run_directory = finder()
    numbered = [(found, _number(run_directory(found.path))) for found in files]
    numbers = {run for _, run in numbered if run is not None}
    if not numbers:
        raise NotFoundError("no run directory (000, 001, …) there to choose from")
    wanted = max(numbers, key=int) if number is None else number.zfill(3)
    if wanted not in numbers:
        listed = ", ".join(sorted(numbers, key=int))
        raise NotFoundError(f"no run directory {wanted} there; there are {listed}")
    return [found for found, run in numbered if run in (None, wanted)]


def _number(directory: Path | None) -> str | None:
    return directory.name if directory is not None and is_numbered(directory) else None
