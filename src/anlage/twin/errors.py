"""The codes of TWIN's refusals, each stated once."""

VALUE_IMPOSSIBLE = "twin-value-impossible"
"""A parameter or argument of a model that cannot be, such as a negative time."""
