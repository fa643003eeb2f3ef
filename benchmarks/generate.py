"""Make a synthetic Parsl run, in Parsl's real formats and of any size.

    python benchmarks/generate.py OUT_DIR --tasks 100000 --noise full

writes OUT_DIR/runinfo/monitoring.db, OUT_DIR/runinfo/000/ (parsl.log, the logs of the executor's
interchange, managers and workers, submit scripts) and OUT_DIR/facts.json, which says what is true
of the run. All files tell of one simulation; the same seed always makes the same run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.generator.campaign import Campaign
from benchmarks.generator.options import ERAS, FILES, NOISES, Facts, Options
from benchmarks.generator.run import Run

__all__ = ["Facts", "Options", "generate"]


def generate(
    directory: Path,
    *,
    tasks: int,
    noise: str = "light",
    seed: int = 1,
    workers: int = 16,
    managers: int = 2,
    blocks: int = 2,
    files: Collection[str] = FILES,
    label: str = "htex",
    fail_share: float = 0.02,
    run_number: str = "000",
    era: str = "2026",
    utc_offset: int = 0,
    window: int | None = None,
) -> Facts:
    """Make a run below `directory`, beside those that other run numbers made there."""
    options = Options(
        tasks=tasks,
        noise=noise,
        seed=seed,
        workers=workers,
        managers=managers,
        blocks=blocks,
        files=files,
        label=label,
        fail_share=fail_share,
        run_number=run_number,
        era=era,
        utc_offset=utc_offset,
        window=window,
    )
    facts = Campaign(Run(Path(directory), options)).play()
    facts.write(Path(directory) / "facts.json")
    return facts


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, and make a run."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    given["files"] = given["files"].split(",")
    try:
        facts = generate(given.pop("directory"), **given)
    except (ValueError, FileExistsError) as problem:
        parser.error(str(problem))
    print(f"{facts.tasks} tasks, {facts.launches} launches, run {facts.run_id}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("directory", type=Path, metavar="OUT_DIR")
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--noise", choices=NOISES, default="light", help="how much is logged")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=16, help="in all")
    parser.add_argument("--managers", type=int, default=2, help="in all")
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--files", default=",".join(FILES), help="default: %(default)s")
    parser.add_argument("--label", default="htex", help="of the executor")
    parser.add_argument("--fail-share", type=float, default=0.02, help="of tasks that fail once")
    parser.add_argument("--run-number", default="000", help="default: %(default)s")
    parser.add_argument("--era", choices=sorted(ERAS), default="2026", help="of Parsl's wording")
    parser.add_argument("--utc-offset", type=int, default=0, help="of local times, in seconds")
    parser.add_argument("--window", type=int, help="tasks outstanding at once")
    return parser


if __name__ == "__main__":
    main()
