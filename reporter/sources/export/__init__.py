"""PostHog batch exports (Parquet, JSON lines) as a `Source`, read through an embedded DuckDB."""

from reporter.sources.export.source import ExportSource

__all__ = ["ExportSource"]
