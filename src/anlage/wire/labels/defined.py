"""A label definition of the library as a layout that the one renderer prints.

The code carries the container's own number, which is what every scanner here reads back to its
container. What `encodes` asks for besides needs a registration of the site (ISBT 128 with ICCBBA, a
GS1 company prefix), which no definition holds; those fields stand on the label as text.
"""

from anlage.library import Carries, Label, LabelField, Symbol
from anlage.wire.symbols import Symbology

from .layout import CHARACTER_WIDTH, Code, Layout, Part, Text

NUMBER = "container"
_SYMBOLOGY = {
    Symbol.ISBT_MATRIX: Symbology.DATA_MATRIX,
    Symbol.GS1_MATRIX: Symbology.DATA_MATRIX,
    Symbol.CODE_128: Symbology.CODE_128,
    Symbol.QR: Symbology.QR,
}
_MODULES = 26  # of the matrix that a number of up to 44 characters takes, quiet zone and all
_CHARACTERS = 24  # of a value beside its heading; a longer one is refused when it does not fit


def layout_of(label: Label, version: int) -> Layout:
    """Give the layout `id@version` of a label definition; fields are named by what they carry."""
    code = Code(
        x=label.symbol_x / 10,
        y=label.symbol_y / 10,
        content=f"{{{NUMBER}}}",
        symbology=_SYMBOLOGY[label.symbol],
        module=0.254
        if label.symbol is Symbol.CODE_128
        else round(label.symbol_size / 10 / _MODULES, 3),
        height=label.symbol_size / 10,
    )
    parts: tuple[Part, ...] = (*(_text(one) for one in label.fields), code)
    return Layout(
        id=f"{label.heading.id}@{version}",
        width=label.width / 10,
        height=label.height / 10,
        parts=parts,
        purpose=label.heading.title,
    )


def field_of(carries: Carries) -> str:
    """Give the name of the layout's field for what a label carries."""
    return carries.value.replace("-", "_")


def _text(one: LabelField) -> Text:
    value = one.text if one.carries is Carries.TEXT else f"{{{field_of(one.carries)}}}"
    content = f"{one.text} {value}" if one.text and one.carries is not Carries.TEXT else value
    # As high as defined, but never so high that a value of usual length leaves its field.
    length = len(one.text) if one.carries is Carries.TEXT else len(one.text) + 1 + _CHARACTERS
    size = min(one.height / 10, one.width / 10 / (length * CHARACTER_WIDTH * 0.8))
    return Text(x=one.x / 10, y=one.y / 10, size=round(size, 2), content=content, bold=one.is_bold)
