"""What a person may choose, and where: flags, environment, reporter.toml, defaults, settled into `Settings`.

Nothing below this room knows where a value came from, and no room below the pipeline sees `Settings`.
"""

from reporter.config.keys import BY_FIELD, KEYS, SECTIONS, Key
from reporter.config.loading import FILE_NAME, KEY_VARIABLE, Origin, Resolved, load, resolve
from reporter.config.secret import Secret
from reporter.config.settings import POSTHOG, Settings
from reporter.config.template import template

__all__ = [
    "BY_FIELD",
    "FILE_NAME",
    "KEYS",
    "KEY_VARIABLE",
    "POSTHOG",
    "SECTIONS",
    "Key",
    "Origin",
    "Resolved",
    "Secret",
    "Settings",
    "load",
    "resolve",
    "template",
]
