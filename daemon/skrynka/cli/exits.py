"""The exit codes, as documented."""

GOOD = 0
FOUND = 1
"""Something that a person should look at."""
USAGE = 2
"""Wrong usage, or a configuration that can't be used."""
ENVIRONMENT = 3
"""Something outside is missing or away."""
