"""What is printed: the labels of a step with what the record fills in, and the tags of things."""

from dataclasses import dataclass
from datetime import timedelta

from anlage.base import Refused
from anlage.library import Definition, Label, Product, stream_of
from anlage.plant import Journey, Lot
from anlage.record import Stream
from anlage.wire.labels import LAYOUTS, Layout, layout_of

from .code_reading import understand
from .installation import Installation


def label_layout(site: Installation, name: str) -> Layout:
    """Give a packaged layout, or that of a label definition: `id` as it is in effect, `id@version`.

    Raises:
        Refused: `label-layout-unknown`, or the definition is not in effect.
    """
    if name in LAYOUTS:
        return LAYOUTS[name]
    id, _, number = name.partition("@")
    key = f"definition/label:{id}"
    known = Stream.pattern.fullmatch(key) and (not number or number.isdigit())
    definition = site.engine.state(Definition, Stream(key)) if known else None
    if definition is None or definition.latest is None:
        raise Refused(
            "label-layout-unknown",
            what=f"layout {name[:40]}",
            found="none of that name",
            limit=f"{', '.join(LAYOUTS)}, or a label definition",
            remedy="choose one of the layouts",
            rule="Anlage labels",
        )
    if number:
        version = definition.version(int(number))
    else:
        version = definition.must_have_effective(site.clock.now())
    return layout_of(Label.read(version.content), version.number)


def label_values(site: Installation, lot: Lot) -> dict[str, str]:
    """Give what the record says of a lot, by field of a label definition; the rest is typed."""
    now = site.clock.now()
    values = {
        "lot": lot.id,
        "chain_of_identity": lot.coi or "",
        "product": lot.product,
        "site": site.journal.opened.site_name,
        "made": f"{now:%Y-%m-%d}",
    }
    if lot.coi:
        journey = site.engine.state(Journey, Stream(f"journey/{lot.coi}"))
        values["donation_number"] = journey.donation or ""
    product = site.engine.state(Definition, stream_of("product", lot.product))
    known = [one.content for one in product.versions if one.number == lot.product_version]
    if known:
        defined = Product.read(known[0])
        kept = defined.storage
        values["product"] = defined.heading.title
        ends = (("not below", kept.lower), ("not above", kept.upper))
        values["storage"] = ", ".join(f"{word} {value}" for word, value in ends if value)
        if kept.shelf_life is not None:
            expires = now + timedelta(days=float(kept.shelf_life.to("d").value))
            values["expiry"] = f"{expires:%Y-%m-%d}"
    return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """A kind of thing that carries a tag.

    Attributes:
        word: What it is called on the tag.
        view: The view that lists it.
        facet: Of which rows; None for all.
    """

    word: str
    view: str
    facet: str | None = None


TAGGED = {
    "equipment": Tagged(word="Unit", view="equipment-board"),
    "room": Tagged(word="Room", view="room-board"),
    "place": Tagged(word="Place", view="places"),
    "person": Tagged(word="Badge", view="people", facet="active"),
}
"""The kinds by the family of their streams."""

_NAME_SHOWN = 30  # characters that stand beside the code


def tag_values(site: Installation, thing: str) -> dict[str, str]:
    """Give what stands on the tag of a thing (`equipment/BSC-01`).

    Raises:
        Refused: `thing-unknown`; or `tag-ambiguous`: its number means something else to a scanner.
    """
    family, _, number = thing.partition("/")
    kind = TAGGED.get(family)
    row = site.rows(kind.view).get(number) if kind else None
    if kind is None or row is None:
        raise Refused(
            "thing-unknown",
            what=thing[:80],
            found="not registered" if kind else "no kind that carries a tag",
            limit=" or ".join(f"{one}/ID" for one in TAGGED),
            remedy="choose from the list",
        )
    meant = understand(site, number).subject
    if meant != thing:
        raise Refused(
            "tag-ambiguous",
            what=f"tag of {thing}",
            found=f"a scan of {number} means {meant or 'nothing'}",
            limit=f"a number that means {thing} alone",
            remedy="give one of the two another number",
            rule="everything physical has a code of its own",
        )
    return {"code": number, "name": row["name"][:_NAME_SHOWN], "kind": kind.word}
