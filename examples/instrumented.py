"""Spans from inside Parsl's apps, under the tasks that ran them. `python examples/instrumented.py`

dnpcsql import runinfo traces
dnpcsql query examples/inside.sql
"""

import sys
import time
from pathlib import Path

import parsl
from parsl.config import Config
from parsl.executors import HighThroughputExecutor, ThreadPoolExecutor
from parsl.monitoring import MonitoringHub
from parsl.providers import LocalProvider

import dnpcsql.tracing

TRACES = Path("traces").absolute()  # on a cluster: where all nodes can write


@parsl.python_app(executors=["cluster"])
@dnpcsql.tracing.traced(TRACES)
def simulate(steps: int) -> float:
    """An app whose parts are of interest."""
    import time

    from dnpcsql.tracing import span

    with span("read input", steps=steps):
        time.sleep(0.05)
    for step in range(steps):
        with span("step", number=step):
            time.sleep(0.01)
    with span("write output") as writing:
        writing.add_event("flushed")
    return steps / 2


@parsl.python_app(executors=["here"])
@dnpcsql.tracing.traced(TRACES)
def total(inputs: tuple[float, ...] = ()) -> float:
    """An app that runs in a thread of the script's own process."""
    return sum(inputs)


def main(monitored: bool = True) -> None:
    """Eight tasks in workers of HTEX, and one in a thread that waits for them."""
    config = Config(
        executors=[
            HighThroughputExecutor(
                label="cluster",
                address="127.0.0.1",
                max_workers_per_node=2,
                cores_per_worker=0.1,
                encrypted=False,
                worker_debug=True,  # their logs say which of them ran what
                provider=LocalProvider(init_blocks=1, max_blocks=1),
            ),
            ThreadPoolExecutor(label="here", max_threads=1),
        ],
        monitoring=MonitoringHub(workflow_name="instrumented") if monitored else None,
        strategy="none",
        initialize_logging=True,
    )
    with parsl.load(config) as kernel:
        dnpcsql.tracing.set_up(TRACES, attributes={"parsl.run.id": kernel.run_id})
        with dnpcsql.tracing.span("the script"):
            started = time.time()
            print(total(inputs=[simulate(steps) for steps in range(8)]).result())
        print(f"{time.time() - started:.1f} s; next: dnpcsql import runinfo traces")


if __name__ == "__main__":
    main(monitored="--without-monitoring" not in sys.argv)
