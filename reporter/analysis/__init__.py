"""Draw conclusions from runs and item figures: pure functions, no sources, no pages."""
