"""Is this run slower than that one? Their apps' running times, and a picture of both.

    python examples/compare.py RUN OTHER

In CI: `dnpcsql compare RUN OTHER --from running --to running_ended --fail-above 10`.
"""

from __future__ import annotations

import sys

import dnpcsql

if len(sys.argv) != 3:
    raise SystemExit("usage: python examples/compare.py RUN OTHER")
run, other = sys.argv[1:]
with dnpcsql.open() as store:
    found = store.compare(run, other, begin="running", end="running_ended", by="app")
    store.plot("compare", run, other, begin="running", end="running_ended").save("compare.png")
print(found.differs.words if found.differs else "one of the two has no running times")
for app, one in found.groups.items():
    shift = one.shift("p50")
    low, high = shift.interval_s
    print(f"  {app}: median {shift.shift_s:+.3f} s, 95 %: {low:+.3f} to {high:+.3f} s")
