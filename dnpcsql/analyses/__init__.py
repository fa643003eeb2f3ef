"""COUNT: rows in, numbers out. Pure functions of arrays: no SQL, no drawing.

The words are those of RADICAL-Analytics: timestamps, ranges, duration, concurrency, rate,
utilization, consistency. Times are int64 nanoseconds since 1970, `MISSING` where no file tells
them; durations that are averaged are float64 seconds.
"""
