"""The model of a network: who comes, what serves them, which way they go.

Values only: a model that exists has been read and its numbers are possible in themselves. Times
are days, distances km, money is one unit without a name. What the parts mean together (reachable
sites, loops with an exit) is judged in `judge.py`.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from .distribution import Distribution

UNLIMITED = 1 << 40
"""The capacity of a resource that never runs out."""

Place: TypeAlias = Literal["network", "clinic", "site"]
Outcome: TypeAlias = Literal["infused", "lost", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value that may differ by class of patient, clinic or site.

    Attributes:
        by: What it differs by; "nothing" when `default` holds for all.
        default: The value where `values` names none.
        values: Value by the name of the class, clinic or site.
    """

    by: Literal["nothing", "class", "clinic", "site"] = "nothing"
    default: Distribution | float | None = None
    values: Mapping[str, Distribution | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of the week in which something is open.

    Attributes:
        days: Weekdays, Monday 0.
        opens: Part of the day, 0 to 1.
        closes: Part of the day; not after `opens` means past midnight.
        capacity: Servers present; None for the resource's own capacity.
    """

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    opens: float = 0.0
    closes: float = 1.0
    capacity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Open hours of the week, and the days after the start of the run that are holidays."""

    windows: tuple[Window, ...]
    holidays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something that serves a number of patients at a time, and that they wait for.

    Attributes:
        name: Its name; one of these stands at each place of the kind `per`.
        per: One for the network, or one at each clinic or site.
        capacity: How many it serves at a time when open.
        calendar: When it is open; None for always.
        queue_limit: Most who may wait; one more is turned away. None for no limit.
        cost_per_day: Money per unit of capacity and calendar day.
        cost_class: The class of cost under which that money is shown.
        at: Capacity at the places where it differs.
        calendar_at: Calendar at the places where it differs.
    """

    name: str
    per: Place = "network"
    capacity: int = 1
    calendar: Calendar | None = None
    queue_limit: int | None = None
    cost_per_day: float = 0.0
    cost_class: str = "equipment"
    at: Mapping[str, int] = field(default_factory=dict)
    calendar_at: Mapping[str, Calendar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A stock that patients draw from and that orders fill again.

    Attributes:
        name: Its name.
        per: One stock for the network, or one at each site.
        stock: Units at the start.
        reorder_at: Stock and orders under way at or below which the next order goes out.
        order: Units in one order.
        lead_time: Time from order to delivery; None when `made_by` makes it.
        made_by: Process that makes one order's units (an allogeneic bank's batch).
        suppliers: Who delivers; orders wait while all of them are out.
        shelf_life: Time after delivery at which what is left is thrown away.
        unit_cost: Money per unit, when delivered.
        holding_cost_per_day: Money per unit on the shelf and day.
    """

    name: str
    per: Place = "network"
    stock: int = 0
    reorder_at: int = 0
    order: int = 1
    lead_time: Distribution | None = None
    made_by: str | None = None
    suppliers: tuple[str, ...] = ()
    shelf_life: Distribution | None = None
    unit_cost: float = 0.0
    holding_cost_per_day: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A thing that fails and comes back.

    Attributes:
        name: Name of the outage.
        of: Resource, site, lane or supplier that it takes out.
        at: The place, when the resource stands at several.
        every: Time from coming back (or the start) to the next failure; None when it happens once.
        start_day: Day of the one failure, when it happens once.
        lasts: How long it is out.
        share: Part of a resource's capacity that is taken, 0 to 1.
    """

    name: str
    of: str
    at: str | None = None
    every: Distribution | None = None
    start_day: float | None = None
    lasts: Distribution
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preservation:
    """How cells keep on the way; a face that a richer model of `anlage.twin` fills.

    Attributes:
        name: Its name, such as hypothermic.
        loss_per_day: First-order rate at which viability is lost, 1/day.
        step_loss: Part lost at once by putting in and taking out (freezing and thawing), 0 to 1.
        hold_days_max: Longest time that is allowed; None for none.
        curve: Points (days, part still viable) of a richer model; read by straight lines, and
            used in the place of `loss_per_day` when given.
        cost: Money per shipment for packing.
    """

    name: str
    loss_per_day: float = 0.0
    step_loss: float = 0.0
    hold_days_max: float | None = None
    curve: tuple[tuple[float, float], ...] = ()
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way to travel a lane.

    Attributes:
        name: Road, air, drone, autonomous vehicle, …
        time: Door to door time, when it does not depend on the distance.
        speed_km_per_day: Speed, when it does.
        handling: Time added at both ends together.
        delay: Chance delay added to every journey; None for none.
        departures: Times of the week (days after Monday 00:00) at which it leaves; empty for any.
        hours: Hours of the week in which it may leave, such as daylight; None for any.
        cancelled: Chance that a departure (or a journey) does not go, by weather or else.
        otherwise: The mode of the lane that goes in its place when it does not go; None to wait.
        range_km: Longest distance; None for none.
        payload_kg: Most it carries; None for no limit.
        countries: Where its rules allow it; empty for everywhere.
        cost: Money per journey.
        cost_per_km: Money per km.
        vehicles: Resource that is held for the journey there and back; None for hired transport.
    """

    name: str
    time: Distribution | None = None
    speed_km_per_day: float | None = None
    handling: Distribution | None = None
    delay: Distribution | None = None
    departures: tuple[float, ...] = ()
    hours: Calendar | None = None
    cancelled: float = 0.0
    otherwise: str | None = None
    range_km: float | None = None
    payload_kg: float | None = None
    countries: tuple[str, ...] = ()
    cost: float = 0.0
    cost_per_km: float = 0.0
    vehicles: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A way between clinics and sites, with the modes that may be used.

    Attributes:
        name: Its name.
        modes: The modes, of which each pair of places uses the best that fits.
        prefer: Whether the best is the fastest, the cheapest, or the first that fits.
        preservation: Name of the condition on the way; None when cells do not age on it.
        mass_kg: What is carried, against the payload.
        only: Mode forced for a pair (clinic, site).
    """

    name: str
    modes: tuple[Mode, ...]
    prefer: Literal["fastest", "cheapest", "first"] = "first"
    preservation: str | None = None
    mass_kg: float = 0.0
    only: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """Where patients come and are treated.

    Attributes:
        name: Its name.
        share: Weight of its share of the patients.
        latitude, longitude: Degrees; None when no lane needs a distance.
        country: Country, for rules of modes.
        integration: How it exchanges messages (paper, portal, fhir); None when not modelled.
    """

    name: str
    share: float = 1.0
    latitude: float | None = None
    longitude: float | None = None
    country: str = ""
    integration: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where cells are made.

    Attributes:
        name: Its name.
        latitude, longitude: Degrees; None when no lane needs a distance.
        country: Country, for rules of modes.
        tier: Central, regional, point of care: a word for reports.
        serves: Clinics it serves; empty for any that is nearest.
        cost_per_day: Fixed money per calendar day.
    """

    name: str
    latitude: float | None = None
    longitude: float | None = None
    country: str = ""
    tier: str = ""
    serves: tuple[str, ...] = ()
    cost_per_day: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """How patients of a class come.

    Attributes:
        rate_per_day: Mean rate of a Poisson stream; None when `every` says it.
        every: Time between two arrivals; None for Poisson.
        group: How many come at once.
        calendar: Hours in which they come, at the same mean rate; None for any time.
        first_day: Day at which the stream begins.
        last_day: Day at which it ends; None for never.
    """

    rate_per_day: float | None = None
    every: Distribution | None = None
    group: int = 1
    calendar: Calendar | None = None
    first_day: float = 0.0
    last_day: float | None = None

    def mean_per_day(self) -> float:
        """Give the mean number of arrivals in a day."""
        if self.rate_per_day is not None:
            return self.rate_per_day * self.group
        mean = self.every.mean_days() if self.every else 0.0
        return self.group / mean if mean else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientClass:
    """A class of patients (or customers).

    Attributes:
        name: Its name.
        arrivals: How they come.
        priority: Lower is served first.
        process: The process they go through.
        drop_out: Clock from arrival at which a patient who waits withdraws; None for never.
        survival: Clock from arrival at which a patient dies; None for never.
        patience: Longest wait in any one queue, drawn afresh in each; None for no limit.
        promise_days: Vein-to-vein time promised, for on time in full; None for none.
    """

    name: str
    arrivals: Arrivals
    priority: int = 1
    process: str = "main"
    drop_out: Distribution | None = None
    survival: Distribution | None = None
    patience: Distribution | None = None
    promise_days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Units of resources or materials that are taken all at once.

    Attributes:
        wants: Name of the resource and number of its units.
        patience: Longest wait for it; None for the class's own.
        priority: Priority in this queue alone; None for the class's own.
        may_drop_out: Whether the clocks of drop-out and survival are watched in this queue.
    """

    wants: tuple[tuple[str, int], ...]
    patience: Distribution | None = None
    priority: int | None = None
    may_drop_out: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Take resources, work for a time, give them back."""

    name: str
    request: Request
    time: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Take resources and keep them over the steps inside."""

    name: str
    request: Request
    steps: tuple["Step", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Let time pass without a resource."""

    name: str
    time: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Ship:
    """Send the cells along a lane between the patient's clinic and site."""

    name: str
    lane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Keep the cells in a condition from here on, whatever the patient waits for.

    Attributes:
        name: Its name.
        condition: Name of the preservation; None when cells no longer age.
    """

    name: str
    condition: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Pass a message through the clinic's integration, with its delay and its errors."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way out of a branch, with its probability."""

    probability: Choice
    steps: tuple["Step", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Go one of several ways by chance; what is left of 1 goes on with the next step."""

    name: str
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Fail by chance, or for low viability; retry from an earlier step, or be lost.

    Attributes:
        name: Its name.
        probability: Chance of failing.
        viability_min: Viability below which it fails; None for chance alone.
        cause: The cause that is counted.
        retry: Step to go back to; None for none.
        most: Retries allowed for one patient at this step; None for any number.
        otherwise: Steps when no retry is left.
        outcome: How the patient's way ends after those.
    """

    name: str
    probability: Choice
    viability_min: float | None = None
    cause: str = "failure"
    retry: str | None = None
    most: int | None = None
    otherwise: tuple["Step", ...] = ()
    outcome: Outcome = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoTo:
    """Go to a named step, always or by chance, at most a number of times."""

    name: str
    to: str
    probability: Choice
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Produce:
    """Put units of a material on the shelf."""

    name: str
    material: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Book money under a class of cost."""

    name: str
    cost_class: str
    amount: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """Wait until a number of patients' samples are together, or the first has waited enough."""

    name: str
    size: int
    patience_days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Choose the site anew.

    Attributes:
        name: Its name.
        rule: The nearest, or the one with the least work per unit of `resource`.
        resource: The resource whose load is compared.
    """

    name: str
    rule: Literal["nearest", "least loaded"] = "nearest"
    resource: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Start or stop the vein-to-vein clock, or set viability."""

    name: str
    what: Literal["start", "stop", "viability"]
    value: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Leave the network with an outcome."""

    name: str
    outcome: Outcome = "infused"
    cause: str = ""


Step: TypeAlias = (
    Use
    | Hold
    | Wait
    | Ship
    | Keep
    | Exchange
    | Branch
    | Fail
    | GoTo
    | Produce
    | Charge
    | Gather
    | Assign
    | Mark
    | End
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A named way through the network."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """A way to exchange messages, with its delay and its errors.

    Attributes:
        name: Paper, portal, fhir, …
        delay: Time for one message.
        error: Chance that a message is wrong.
        correction: Time to put a wrong message right.
    """

    name: str
    delay: Distribution
    error: float = 0.0
    correction: Distribution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDefaults:
    """How long, how often and from which seed the file asks to be run."""

    years: float = 3.0
    warmup_years: float | None = None
    replications: int = 20
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A whole network.

    Attributes:
        name: Its name.
        classes, resources, processes: What every network has.
        clinics, sites, lanes, preservations, integrations, materials, outages: What it may have.
        assign: How clinics choose their site.
        start_date: The first day of a run.
        run: Defaults of a run.
    """

    name: str
    classes: tuple[PatientClass, ...]
    resources: tuple[Resource, ...]
    processes: tuple[Process, ...]
    clinics: tuple[Clinic, ...] = ()
    sites: tuple[Site, ...] = ()
    lanes: tuple[Lane, ...] = ()
    preservations: tuple[Preservation, ...] = ()
    integrations: tuple[Integration, ...] = ()
    materials: tuple[Material, ...] = ()
    outages: tuple[Outage, ...] = ()
    assign: Assign = Assign(name="assign")
    start_date: datetime.date = datetime.date(2026, 1, 5)
    run: RunDefaults = RunDefaults()

    @property
    def start_weekday(self) -> int:
        """Give the weekday of the first day, Monday 0."""
        return self.start_date.weekday()

    def process(self, name: str) -> Process:
        """Give the process of that name."""
        return MappingProxyType({process.name: process for process in self.processes})[name]
