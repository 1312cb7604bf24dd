"""What a person may choose, and where: flags, environment, reporter.toml, defaults, settled into `Settings`.

Nothing below this room knows where a value came from, and no room below the pipeline sees `Settings`.
"""

from reporter.config.delivery_keys import SITUATIONS
from reporter.config.key import SECTIONS, Key
from reporter.config.keys import BY_FIELD, KEYS
from reporter.config.loading import FILE_NAME, KEY_VARIABLE, Origin, Resolved, load, resolve, secret_in
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
    "SITUATIONS",
    "Key",
    "Origin",
    "Resolved",
    "Secret",
    "Settings",
    "load",
    "resolve",
    "secret_in",
    "template",
]
