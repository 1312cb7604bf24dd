"""Charts of a report, drawn with matplotlib: pure functions from `Report` to `Chart`."""
