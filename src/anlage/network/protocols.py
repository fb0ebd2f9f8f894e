"""Preservation protocols from a file, and a network with its cells kept by one of them."""

from dataclasses import dataclass, replace

from anlage.base import Refused
from anlage.twin.protocol import Freezing, Protocol, kept_after

from .document import Node, parse, twice_problems
from .errors import NAME_UNKNOWN, SHAPE_WRONG
from .fields import Fields, Judgement, between, whole
from .measure import KG_PER, Unfit, duration, measured, share
from .model import Network, Preservation

REFERENCE = "docs/how-to/model-preservation.md"
_POINTS = 25
_CURVE_HOURS = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolFile:
    """What a file of protocols says.

    Attributes:
        protocols: The protocols, the first being the base.
        weight_kg: The patient's weight.
        viability_min: Limit of release, a part.
    """

    protocols: tuple[Protocol, ...]
    weight_kg: float = 75.0
    viability_min: float = 0.7


def read_protocols(text: str, *, path: str | None = None) -> ProtocolFile:
    """Read a file of protocols.

    Raises:
        Refused: It has a problem; all of them are in the refusal, each with its line.
    """
    root = parse(text, path=path)
    judgement = Judgement(path)
    judgement.problems.extend(twice_problems(root, path))
    fields = Fields(root, "the protocols", judgement)
    fields.node_of("preserve", "description", "sources")
    weight = fields.take("weight", reader=_mass, default=75.0)
    limit = fields.take("limit", "viability", reader=share, default=0.7)
    node = fields.need("protocols")
    made: list[Protocol] = []
    if node is not None and node.keys is None:
        judgement.say(
            SHAPE_WRONG,
            "protocols",
            node.line,
            found=node.kind,
            limit="a mapping NAME: {…}",
            remedy=f"see {REFERENCE}",
        )
    for name, (_, inner) in ((node.keys or {}) if node is not None else {}).items():
        made.append(_protocol(name, inner, judgement))
    fields.done()
    if judgement.problems:
        raise Refused.of(judgement.problems)
    return ProtocolFile(protocols=tuple(made), weight_kg=weight, viability_min=limit)


def with_protocol(network: Network, condition: str, protocol: Protocol) -> Network:
    """Give the network with the cells of one of its conditions kept by a protocol.

    A liquid protocol gives a curve at the temperature of its last stay; a frozen one takes its loss
    at once and then keeps what is left. The medians of the models are used.

    Raises:
        Refused: The network has no condition of that name.
    """
    names = [one.name for one in network.preservations]
    if condition not in names:
        raise Refused(
            NAME_UNKNOWN,
            what=f"the condition {condition}",
            found=repr(condition),
            limit="a preservation of the file: " + (", ".join(names) or "(there is none)"),
            remedy="name one of these with --as",
        )
    return replace(
        network,
        name=f"{network.name}, {protocol.name}",
        preservations=tuple(
            _kept(one, protocol) if one.name == condition else one for one in network.preservations
        ),
    )


def _kept(was: Preservation, protocol: Protocol) -> Preservation:
    if protocol.freezing is not None:
        return replace(was, step_loss=1 - kept_after(protocol), loss_per_day=0.0, curve=())
    celsius = protocol.held[-1][0] if protocol.held else 4.0
    hours = [_CURVE_HOURS * number / (_POINTS - 1) for number in range(_POINTS)]
    curve = tuple(
        (one / 24, kept_after(replace(protocol, held=((celsius, one),)))) for one in hours
    )
    return replace(was, step_loss=0.0, loss_per_day=0.0, curve=curve)


def _protocol(name: str, node: Node, judgement: Judgement) -> Protocol:
    fields = Fields(node, f"protocols.{name}", judgement)
    fields.node_of("description", "source")
    held = fields.take("held", "hold", reader=_hours, default=0.0)
    held_at = fields.take("held_at", "at", reader=between(0, 40), default=4.0)
    density = fields.take("density", reader=between(0, 10_000), default=10.0)
    volume = fields.take("volume", reader=_volume, default=50.0)
    frozen = {"dmso", "cooling", "stored", "warming", "thawed", "relative", "cycles"}
    freezing = None
    if frozen & fields.keys.keys():
        freezing = _freezing(fields, judgement)
    fields.done()
    return Protocol(
        name=name,
        held=((held_at, held),) if held > 0 else (),
        density=density,
        freezing=freezing,
        volume_ml=volume,
    )


def _freezing(fields: Fields, judgement: Judgement) -> Freezing:
    plain = Freezing()
    relative = fields.node_of("relative")
    low, high = plain.relative
    if relative is not None:
        ends = relative.items or [relative]
        read = [judgement.read(one, f"{fields.what}: relative", share) for one in ends]
        low, high = read[0] or 0.0, read[-1] or 0.0
    stored = fields.take("stored", reader=_hours, default=plain.stored[0][1])
    stored_at = fields.take("stored_at", reader=between(-196, 0), default=plain.stored[0][0])
    return Freezing(
        dmso_percent=100 * fields.take("dmso", reader=share, default=plain.dmso_percent / 100),
        exposed_minutes=60 * fields.take("exposed", reader=_hours, default=0.25),
        exposed_celsius=fields.take("exposed_at", reader=between(-5, 40), default=4.0),
        cooling=fields.take("cooling", reader=between(0.01, 1_000), default=plain.cooling),
        warming=fields.take("warming", reader=between(0.01, 10_000), default=plain.warming),
        stored=((stored_at, stored),),
        cycles=fields.take("cycles", reader=whole(0, 100_000), default=0),
        thawed_minutes=60 * fields.take("thawed", reader=_hours, default=1 / 3),
        thawed_celsius=fields.take("thawed_at", reader=between(0, 40), default=22.0),
        relative=(low, high),
    )


def _hours(text: str) -> float:
    return 24 * duration(text)


def _mass(text: str) -> float:
    value = measured(text, KG_PER, "75 kg")
    if value <= 0:
        raise Unfit(SHAPE_WRONG, text, "a weight above zero", "write weight: 75 kg")
    return value


def _volume(text: str) -> float:
    return measured(text, {"mL": 1.0, "ml": 1.0, "L": 1000.0}, "50 mL")
