"""Every question spelled in HogQL, over PostHog's table ``events``; each statement is bounded and named."""
