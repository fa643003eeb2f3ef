"""Are my workers busy? Each worker's share of its time, and a picture of what it ran.

Its time is from its manager's registration (Work Queue's workers: its connection) to its end, as
the views worker_capacity and utilization have it.

dnpcsql import examples/runinfo.tar.xz && python examples/busy.py
"""

from __future__ import annotations

import dnpcsql

with dnpcsql.open() as store:
    store.plot("workers", "last").save("workers.png")
    used = store.statistics("last").workers
if used is None or not used.workers:
    raise SystemExit("no file tells of workers")
for worker in used.workers:
    share = worker.busy_s / worker.connected_s if worker.connected_s else float("nan")
    print(f"{worker.name}  {worker.tasks:4} tasks  {100 * share:5.1f} % busy")
print(f"in all {100 * used.share:.1f} % of {used.connected_s:.1f} s; see workers.png")
