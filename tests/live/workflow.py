"""A real Parsl run, for the tests: what it knows of itself goes to facts.json.

200 tasks over two executors, one of them with two blocks; retries, failures, a dependency that
fails, a worker that kills itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import parsl
from parsl.config import Config
from parsl.executors import HighThroughputExecutor, ThreadPoolExecutor
from parsl.launchers import SimpleLauncher
from parsl.monitoring import MonitoringHub
from parsl.providers import LocalProvider

TASKS = 200


@parsl.python_app(executors=["cluster"])
def work(number: int) -> dict[str, Any]:
    """Ordinary work: where and when it ran."""
    import os
    import time

    start = time.time()
    time.sleep(0.01)
    return {
        "number": number,
        "start": start,
        "end": time.time(),
        "pid": os.getpid(),
        "worker": os.environ["PARSL_WORKER_RANK"],
        "manager": os.environ["PARSL_WORKER_POOL_ID"],
        "block": os.environ["PARSL_WORKER_BLOCK_ID"],
    }


@parsl.python_app(executors=["local_threads"])
def think(number: int) -> int:
    """Work in a thread of the submitting process."""
    return number


@parsl.python_app(executors=["cluster"])
def flaky(marker: str) -> str:
    """Fails the first time."""
    from pathlib import Path

    if not Path(marker).exists():
        Path(marker).touch()
        raise RuntimeError("not yet")
    return "at last"


@parsl.python_app(executors=["cluster"])
def broken() -> None:
    """Always fails, with a message of several lines."""
    raise ValueError("no good\nnot even the second time")


@parsl.python_app(executors=["cluster"])
def deadly(marker: str) -> str:
    """Kills its worker the first time."""
    import os
    import signal
    from pathlib import Path

    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def main(place: Path) -> None:
    """Run it in `place`, which then holds runinfo and facts.json."""
    os.chdir(place)
    config = Config(
        executors=[
            HighThroughputExecutor(
                label="cluster",
                address="127.0.0.1",
                max_workers_per_node=2,
                cores_per_worker=0.1,
                encrypted=False,
                worker_debug=True,
                heartbeat_period=2,
                heartbeat_threshold=10,
                provider=LocalProvider(
                    init_blocks=2, min_blocks=2, max_blocks=2, launcher=SimpleLauncher()
                ),
            ),
            ThreadPoolExecutor(label="local_threads", max_threads=2),
        ],
        monitoring=MonitoringHub(resource_monitoring_interval=1, workflow_name="live"),
        retries=1,
        strategy="none",
        initialize_logging=True,
    )
    with parsl.load(config) as kernel:
        facts: dict[str, Any] = {"run_id": kernel.run_id, "tasks": {}}
        futures: dict[int, Any] = {}
        apps: dict[int, str] = {}

        def submit(app: Any, *args: Any) -> Any:
            future = app(*args)
            futures[future.tid], apps[future.tid] = future, app.__name__
            return future

        submit(deadly, "deadly.marker")
        for number in range(4):
            submit(flaky, f"flaky{number}.marker")
        failing = [submit(broken) for _ in range(3)]
        submit(work, failing[0])
        while len(futures) < TASKS - 60:
            submit(work, len(futures))
        while len(futures) < TASKS:
            submit(think, len(futures))
        for task, future in futures.items():
            error = future.exception()
            facts["tasks"][task] = {
                "app": apps[task],
                "state": kernel.tasks[task]["status"].name if task in kernel.tasks else None,
                "error": type(error).__name__ if error else None,
                "inside": future.result() if error is None and apps[task] == "work" else None,
                "done_by": time.time(),
            }
    Path("facts.json").write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
