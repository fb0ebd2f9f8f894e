"""Labels as data: size, code and fields in millimetres; one renderer prints and previews them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from anlage.base import Refused

from .fields import Content, Fields, Heading, Reference, read_with


class Symbol(StrEnum):
    """The machine-readable code on a label."""

    ISBT_MATRIX = "isbt128-datamatrix"
    GS1_MATRIX = "gs1-datamatrix"
    CODE_128 = "code128"
    QR = "qr"


class Carries(StrEnum):
    """What a field shows."""

    TEXT = "text"
    CHAIN_OF_IDENTITY = "chain-of-identity"
    DONATION = "donation-number"
    LOT = "lot"
    PRODUCT = "product"
    CONTAINER = "container"
    EXPIRY = "expiry"
    VOLUME = "volume"
    DOSE = "dose"
    STORAGE = "storage"
    RECIPIENT = "recipient"
    SITE = "site"
    MADE = "made"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelField:
    """One field; places are in tenths of a millimetre from the upper left corner.

    Attributes:
        carries: What it shows.
        text: Fixed words, for `text`; a heading before the value for others.
        x: From the left edge.
        y: From the upper edge.
        width: Its width.
        height: Height of its letters.
        is_bold: Whether it stands out.
    """

    carries: Carries
    text: str
    x: int
    y: int
    width: int
    height: int
    is_bold: bool

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one field."""
        carries = fields.enum("carries", Carries)
        return cls(
            carries=carries,
            text=fields.text("text", None if carries is Carries.TEXT else ""),
            x=fields.whole("x", most=3000),
            y=fields.whole("y", most=3000),
            width=fields.whole("width", least=10, most=3000),
            height=fields.whole("height", least=10, most=500),
            is_bold=fields.flag("bold", False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label as defined.

    Attributes:
        heading: Identifier, title and basis.
        width: Of the label, in tenths of a millimetre.
        height: Of the label, in tenths of a millimetre.
        symbol: The code printed on it.
        symbol_x: Left edge of the code.
        symbol_y: Upper edge of the code.
        symbol_size: Edge (matrix) or height (linear) of the code.
        encodes: What the code carries, in order.
        copies: How many are printed for one thing.
        fields: What people read.
    """

    heading: Heading
    width: int
    height: int
    symbol: Symbol
    symbol_x: int
    symbol_y: int
    symbol_size: int
    encodes: tuple[str, ...]
    copies: int
    fields: tuple[LabelField, ...]

    def __post_init__(self) -> None:
        for at, one in enumerate(self.fields):
            if one.x + one.width > self.width or one.y + one.height > self.height:
                raise Refused(
                    "label-malformed",
                    what=f"field {one.carries} of label {self.heading.id}",
                    found=f"its far corner at {one.x + one.width}, {one.y + one.height}",
                    limit=f"inside {self.width} by {self.height} tenths of a millimetre",
                    remedy="move it or make it smaller",
                    path=f"fields[{at}]",
                )
        if self.symbol_x + self.symbol_size > self.width or (
            self.symbol_y + self.symbol_size > self.height
        ):
            raise Refused(
                "label-malformed",
                what=f"code of label {self.heading.id}",
                found=f"{self.symbol_size} tenths of a millimetre",
                limit="inside the label",
                remedy="move it or make it smaller",
                path="symbol-size",
            )

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a label from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a label."""
        encodes = fields.texts("encodes", least=1)
        known = [one.value for one in Carries if one is not Carries.TEXT]
        for one in encodes:
            if one not in known:
                fields.wrong("encodes", one, ", ".join(known), "choose among these")
        return cls(
            heading=fields.heading("label"),
            width=fields.whole("width", least=50, most=3000),
            height=fields.whole("height", least=50, most=3000),
            symbol=fields.enum("symbol", Symbol),
            symbol_x=fields.whole("symbol-x", most=3000),
            symbol_y=fields.whole("symbol-y", most=3000),
            symbol_size=fields.whole("symbol-size", least=20, most=1000),
            encodes=encodes,
            copies=fields.whole("copies", 1, least=1, most=50),
            fields=fields.each("fields", LabelField.from_fields, least=1),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """A label names no other definition."""
        return ()
