"""COUNT: rows → numbers. Pure functions: no drawing, no SQL built by formatting."""
