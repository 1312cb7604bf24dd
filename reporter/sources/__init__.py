"""Where data comes from: one protocol, several adapters."""
