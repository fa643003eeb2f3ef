"""ANSWER: what a person asks of a run. Binds its rows to the analyses; draws, prints nothing."""
