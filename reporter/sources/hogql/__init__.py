"""A source over whoever answers HogQL: PostHog's API, or ClickHouse itself."""
