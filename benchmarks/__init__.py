"""Benchmarks: `python benchmarks/run.py --quick`."""
