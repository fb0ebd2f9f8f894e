"""The layout of the compiled tables and of the kernel's state: records and operations by name.

Each table is an array of records, so that the kernel reads `step.target` where the machine reads
one word at a known distance, and what is read together lies together in memory. A change here
changes the kernel: its cache is keyed by the digest of these files.
"""

import numpy as np


def _record(formats: str, size: int = 0) -> np.dtype:
    """Give a record out of `type: names` parts, the fields in their order and at their alignment.

    `size` pads it to as many bytes.
    """
    fields = []
    for part in formats.split(";"):
        kind, _, names = part.partition(":")
        fields += [(name, kind.strip()) for name in names.split()]
    made = np.dtype(fields, align=True)
    spare = size - made.itemsize
    return np.dtype([*fields, ("padding", "i4", (spare // 4,))], align=True) if spare > 0 else made


def _sums(names: str) -> np.dtype:
    """Give a record of sums: numbers only, so that the same memory is a table of floats too."""
    return np.dtype([(name, "f8") for name in names.split()])


# One operation of a program. The row of the value it points to is
# base + by_class * class + by_clinic * clinic + by_site * site + by_way * way of the patient.
STEP = _record("i4: op base by_class by_clinic by_site by_way target stage a b c; u8: purpose")

# Rules: what selects the row of a value.
RULE_NONE, RULE_CLASS, RULE_CLINIC, RULE_SITE, RULE_PAIR, RULE_WAY = range(6)

# Operations.
(
    OP_DELAY,
    OP_SEIZE,
    OP_RELEASE,
    OP_CHANCE,
    OP_JUMP,
    OP_COUNT,
    OP_FAILED,
    OP_CHARGE,
    OP_MARK,
    OP_CHOOSE,
    OP_SHIP,
    OP_KEEP,
    OP_VIABLE,
    OP_PUT,
    OP_ASSIGN,
    OP_GATHER,
    OP_CLOCKS,
    OP_END,
    OP_LEAVE,
    OP_SPAWN,
    OP_VANISH,
    OP_ARRIVE,
    OP_FAULT,
    OP_MEND,
    OP_IF_UP,
    OP_DELIVER,
    OP_EXPIRE,
) = range(27)

# What lives during a replication. The first 64 bytes of a patient are what most events touch.
PATIENT = _record(
    "f8: time; i8: bucket sequence; i4: after before pc signature lap;"
    "i2: own clinic site way spare; u8: key;"
    "f8: waited_since deadline started viability patience mark; i8: queue_sequence serial;"
    "f8: kept_since kept_from; i4: queue_after queue_before level leaving is_dying keeping",
    size=192,
)
RESOURCE = _record("i8: capacity busy planned out; i4: waiting limit material called")
CLOCK = _record("i8: mask count day sequence pops; f8: per_time fitted")
TALLY = _record("i8: high free ready_first ready_last due live called traced")

# What a network is compiled to.
TIME = _record("i4: kind at count; f8: first second third plus")
ASK = _record("i4: signature resource amount")
WANT = _record("i4: resource amount")
SAMPLE = _record("f8: value below")
CLASS = _record("i4: level entry drop_out survival patience order; f8: promise")
STREAM = _record("i4: own clinic time group open_at open_count; f8: first last")
OPEN = _record("f8: start end passed")
WAY = _record(
    "i4: time handling delay depart_at depart_count hours_at hours_count keep guard vehicle"
    " has_other;"
    "f8: cost cancelled called_off"
)
KEEP = _record("f8: loss step_loss hold_max packing; i4: curve_at curve_count")
POINT = _record("f8: days part")
MATERIAL = _record("i8: resource reorder order on_order program expire made used orders own site")
FAULT = _record("i8: resource amount")
PLAN = _record("f8: time; i8: resource capacity")
STARTER = _record("i8: row site; u8: purpose")
TRACE = _record("f8: time; i8: serial; i4: kind own clinic site place lap way")

# Sums of a replication: by resource, by class, by stage, of the whole run, by week.
RESOURCE_SUMS = _sums("busy open wait requests left wait_served units ever_awaited")
T_BUSY, T_OPEN, T_WAIT, T_REQUESTS, T_LEFT, T_WAIT_SERVED, T_UNITS, T_EVER_AWAITED = range(8)
CLASS_SUMS = _sums(
    "arrived infused lost withdrawn time time_squared on_time viability in_progress died"
    " turned_away"
)
(
    P_ARRIVED,
    P_INFUSED,
    P_LOST,
    P_WITHDRAWN,
    P_TIME,
    P_TIME_SQUARED,
    P_ON_TIME,
    P_VIABILITY,
    P_IN_PROGRESS,
    P_DIED,
    P_TURNED_AWAY,
) = range(11)
STAGE_SUMS = _sums("visits wait time")
G_VISITS, G_WAIT, G_TIME = range(3)
RUN_SUMS = _sums("events status peak stopped_at traced in_progress")
N_EVENTS, N_STATUS, N_PEAK, N_STOPPED_AT, N_TRACED, N_IN_PROGRESS = range(6)
WEEK_SUMS = _sums("arrived infused lost withdrawn time")
W_ARRIVED, W_INFUSED, W_LOST, W_WITHDRAWN, W_TIME = range(5)

# How a replication ended.
FINISHED, TOO_MANY_EVENTS, TOO_MANY_PATIENTS, NO_TIME_PASSES = range(4)

# Histograms: logarithmic bins of vein-to-vein time and of waits, linear bins of viability.
OCTAVES, OCTAVE_LOW = 34, -17
TIME_BINS_PER_OCTAVE, WAIT_BINS_PER_OCTAVE = 512, 32
TIME_BINS, WAIT_BINS = OCTAVES * TIME_BINS_PER_OCTAVE, OCTAVES * WAIT_BINS_PER_OCTAVE + 1
VIABILITY_BINS = 1000

COUNTERS_MAX = 14
"""Loops with a limit that one process may have."""

# Outcomes.
INFUSED, LOST, WITHDRAWN = range(3)
CAUSE_NONE = -1

# Traces: kinds of lines.
(
    TRACE_ARRIVED,
    TRACE_STARTED,
    TRACE_FINISHED,
    TRACE_SHIPPED,
    TRACE_RECEIVED,
    TRACE_FAILED,
    TRACE_ENDED,
    TRACE_CLOCK_STARTED,
    TRACE_CLOCK_STOPPED,
) = range(9)
