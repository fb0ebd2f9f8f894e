"""The layout of the compiled tables and of the kernel's state: columns and operations by name.

Plain integers, because the kernel sees them as constants. A change here changes the kernel: its
cache is keyed by the digest of these files.
"""

# Columns of the program; one row is one operation.
OP, RULE, BASE, TARGET, STAGE, PURPOSE, A, B, C, D = range(10)
PROGRAM_WIDTH = 10

# Rules: what selects the row `BASE + place` of a value.
RULE_NONE, RULE_CLASS, RULE_CLINIC, RULE_SITE, RULE_PAIR = range(5)

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
    OP_SHIP,
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
    OP_ORDER_LOST,
) = range(26)

# Columns of an entity: whole numbers, then (another array) times and values.
(
    E_PC,
    E_CLASS,
    E_CLINIC,
    E_SITE,
    E_LAP,
    E_PRIORITY,
    E_QUEUE_NEXT,
    E_QUEUE_PREVIOUS,
    E_BUCKET_NEXT,
    E_BUCKET_PREVIOUS,
    E_BUCKET,
    E_SIGNATURE,
    E_LEAVE,
    E_SERIAL,
    E_SEQUENCE,
    E_QUEUE_SEQUENCE,
    E_KEY,
    E_COUNTERS,
) = range(18)
COUNTERS_MAX = 14
ENTITY_WIDTH = E_COUNTERS + COUNTERS_MAX
(V_TIME, V_WAIT, V_START, V_DEADLINE, V_VIABILITY, V_DEATH, V_PATIENCE, V_MARK) = range(8)
VALUE_WIDTH = 8

# Columns of a resource's state.
R_CAPACITY, R_BUSY, R_WAITING, R_LIMIT, R_MATERIAL, R_PLANNED, R_OUT, R_CALLED = range(8)
RESOURCE_WIDTH = 8

# Columns of a distribution and of a journey.
D_KIND, D_FIRST, D_SECOND, D_THIRD, D_PLUS, D_AT, D_COUNT = range(7)
DISTRIBUTION_WIDTH = 7
(
    W_TIME,
    W_HANDLING,
    W_DELAY,
    W_COST,
    W_CANCELLED,
    W_DEPART_AT,
    W_DEPART_COUNT,
    W_LOSS,
    W_STEP_LOSS,
    W_CURVE_AT,
    W_CURVE_COUNT,
    W_HOLD_MAX,
    W_PACKING,
) = range(13)
WAY_WIDTH = 13

# Columns of a stream of arrivals and of a material.
(
    S_CLASS,
    S_CLINIC,
    S_DISTRIBUTION,
    S_GROUP,
    S_PURPOSE,
    S_OPEN_AT,
    S_OPEN_COUNT,
) = range(7)
STREAM_WIDTH = 7
(
    M_RESOURCE,
    M_REORDER,
    M_ORDER,
    M_ON_ORDER,
    M_PROGRAM,
    M_EXPIRE,
    M_MADE,
    M_USED,
    M_ORDERS,
    M_CLASS,
    M_SITE,
) = range(11)
MATERIAL_WIDTH = 11

# Columns of a class: priority, entry of its process, its clocks (distributions, -1 for none).
K_PRIORITY, K_ENTRY, K_DROP_OUT, K_SURVIVAL, K_PATIENCE, K_IS_ORDER = range(6)
CLASS_WIDTH = 6

# Results of a replication.
(
    T_BUSY,
    T_OPEN,
    T_WAIT,
    T_REQUESTS,
    T_LEFT,
    T_WAIT_SERVED,
    T_UNITS,
    T_EVER_AWAITED,
) = range(8)
RESOURCE_RESULTS = 8
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
CLASS_RESULTS = 11
G_VISITS, G_WAIT, G_TIME = range(3)
STAGE_RESULTS = 3
(N_EVENTS, N_STATUS, N_PEAK, N_STOPPED_AT, N_TRACED, N_IN_PROGRESS) = range(6)
RUN_RESULTS = 6

# How a replication ended.
FINISHED, TOO_MANY_EVENTS, TOO_MANY_PATIENTS, NO_TIME_PASSES = range(4)

# Histograms: logarithmic bins of vein-to-vein time and of waits, linear bins of viability.
OCTAVES, OCTAVE_LOW = 34, -17
TIME_BINS_PER_OCTAVE, WAIT_BINS_PER_OCTAVE = 512, 32
TIME_BINS, WAIT_BINS = OCTAVES * TIME_BINS_PER_OCTAVE, OCTAVES * WAIT_BINS_PER_OCTAVE + 1
VIABILITY_BINS = 1000

# Outcomes.
INFUSED, LOST, WITHDRAWN = range(3)
CAUSE_NONE = -1

# Traces: kinds of facts.
(
    TRACE_ARRIVED,
    TRACE_STARTED,
    TRACE_FINISHED,
    TRACE_SHIPPED,
    TRACE_RECEIVED,
    TRACE_FAILED,
    TRACE_ENDED,
    TRACE_REQUESTED,
) = range(8)
