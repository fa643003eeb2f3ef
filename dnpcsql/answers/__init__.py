"""ANSWER: what a person asks of a run. Binds a run's rows to the analyses; draws and prints nothing."""
