"""`reporter` turns PostHog's LLM-analytics clusters into reports people act on.

Importing the package loads nothing but its version: everything heavy waits until it is used.
"""

__version__ = "0.1.0"
