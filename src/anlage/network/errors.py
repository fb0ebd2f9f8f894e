"""The codes of NETWORK's refusals, each stated once."""

UNREADABLE = "network-unreadable"
"""The text is no YAML, or is longer, deeper or larger than a network may be."""

KEY_UNKNOWN = "network-key-unknown"
"""A key that no network file has at this place."""

KEY_MISSING = "network-key-missing"
"""A key without which the model cannot run."""

KEY_TWICE = "network-key-twice"
"""The same key written twice in one mapping."""

SHAPE_WRONG = "network-shape-wrong"
"""A list where a mapping belongs, or the other way round."""

VALUE_UNREADABLE = "network-value-unreadable"
"""A value that is no number, time, rate, share or date."""

UNIT_WRONG = "network-unit-wrong"
"""A value with a unit of another kind, or without the unit it needs."""

VALUE_IMPOSSIBLE = "network-value-impossible"
"""A value that can be read but cannot be, such as a negative time."""

NAME_UNKNOWN = "network-name-unknown"
"""A reference to something that the file does not define."""

NAME_TWICE = "network-name-twice"
"""Two things of one kind with one name."""

SITE_UNREACHABLE = "network-site-unreachable"
"""No lane mode covers the way between a clinic and the site that serves it."""

NO_EXIT = "network-no-exit"
"""A loop of steps that no patient can leave."""

CAPACITY_IMPOSSIBLE = "network-capacity-impossible"
"""A request that the resource can never grant."""

RUN_IMPOSSIBLE = "network-run-impossible"
"""Settings of a run that cannot be, such as a warm-up as long as the run."""

RUN_STOPPED = "network-run-stopped"
"""A limit stopped the run; what had finished is kept."""

DESIGN_INFEASIBLE = "network-design-infeasible"
"""No choice of sites serves all the demand within the limits."""
