"""Every importer, fed with real files that were damaged at random.

`pytest tests/fuzz` is a short run; `python -m tests.fuzz --executions 1000000` is a long one.
"""
