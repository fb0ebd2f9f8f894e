"""How many processors this process may use."""

import os


def processors() -> int:
    """Give the processors given to this process, 1 or more; a container may have fewer than the
    machine.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
