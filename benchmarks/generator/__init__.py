"""The parts of the generator of synthetic Parsl runs: see benchmarks/generate.py."""
