"""The packaged layouts. ISBT 128 labels need a site's own registration with ICCBBA."""

from anlage.wire.symbols import Symbology

from .layout import Code, Layout, Line, Text

LAYOUTS: dict[str, Layout] = {
    layout.id: layout
    for layout in (
        Layout(
            id="bag",
            width=90,
            height=50,
            purpose="cell therapy bag: ISBT 128 compound message and chain of identity",
            parts=(
                Text(x=3, y=2, size=4, content="{product}", bold=True),
                Line(x=3, y=8, width=84, height=0.3),
                Text(x=3, y=10, size=3, content="Donation {donation}"),
                Text(x=3, y=14, size=3, content="CoI      {coi}"),
                Text(x=3, y=18, size=3, content="Expiry   {expiry}"),
                Text(x=3, y=22, size=3, content="Store    {storage}"),
                Text(x=3, y=45, size=3, content="{statement}", bold=True),
                Code(x=60, y=10, content="{compound}", symbology=Symbology.DATA_MATRIX, module=0.6),
                Code(
                    x=3,
                    y=29,
                    content="{coi_code}",
                    symbology=Symbology.CODE_128,
                    module=0.254,
                    height=10,
                ),
            ),
        ),
        Layout(
            id="collection-bag",
            width=100,
            height=60,
            purpose="bag at the collection: donation, chain of identity, statements of 1271.90(c)",
            parts=(
                Text(x=3, y=2, size=4, content="{product}", bold=True),
                Line(x=3, y=8, width=94, height=0.3),
                Text(x=3, y=10, size=3, content="Donation {donation}"),
                Text(x=3, y=14, size=3, content="CoI      {coi}"),
                Text(x=3, y=18, size=3, content="Use before {expiry}"),
                Text(x=3, y=22, size=3, content="Store    {storage}"),
                Text(x=3, y=45, size=2.2, content="{statement_1}", bold=True),
                Text(x=3, y=49, size=2.2, content="{statement_2}", bold=True),
                Text(x=3, y=53, size=2.2, content="{statement_3}", bold=True),
                Code(x=72, y=10, content="{compound}", symbology=Symbology.DATA_MATRIX, module=0.6),
                Code(
                    x=3,
                    y=29,
                    content="{coi_code}",
                    symbology=Symbology.CODE_128,
                    module=0.254,
                    height=10,
                ),
            ),
        ),
        Layout(
            id="tube",
            width=60,
            height=15,
            purpose="cryotube or straw: GS1 DataMatrix, 15 x 60 mm",
            parts=(
                Code(
                    x=2,
                    y=2,
                    content="(01){gtin}(21){serial}(10){lot}",
                    symbology=Symbology.GS1_DATA_MATRIX,
                    module=0.4,
                ),
                Text(x=18, y=1.5, size=2.6, content="{name}", bold=True),
                Text(x=18, y=5, size=2.2, content="LOT {lot}"),
                Text(x=18, y=8, size=2.2, content="SN  {serial}"),
                Text(x=18, y=11, size=2.2, content="GTIN {gtin}"),
            ),
        ),
        Layout(
            id="shipper",
            width=100,
            height=70,
            purpose="logistic unit: GS1-128 with SSCC",
            parts=(
                Text(x=5, y=4, size=4, content="From {sender}"),
                Text(x=5, y=10, size=5, content="To {receiver}", bold=True),
                Line(x=5, y=18, width=90, height=0.4),
                Text(x=5, y=20, size=4, content="Do not X-ray. Do not open.", bold=True),
                Text(x=5, y=26, size=3, content="{handling}"),
                Code(
                    x=5,
                    y=34,
                    content="(00){sscc}",
                    symbology=Symbology.GS1_128,
                    module=0.508,
                    height=25,
                ),
                Text(x=12, y=62, size=4, content="(00){sscc}"),
            ),
        ),
        Layout(
            id="place",
            width=50,
            height=25,
            purpose="room, rack or position: GS1 DataMatrix with GLN and extension",
            parts=(
                Code(
                    x=2,
                    y=2,
                    content="(414){gln}(254){position}",
                    symbology=Symbology.GS1_DATA_MATRIX,
                    module=0.6,
                ),
                Text(x=22, y=3, size=4, content="{position}", bold=True),
                Text(x=22, y=10, size=2.5, content="{name}"),
                Text(x=22, y=15, size=2, content="{gln}"),
            ),
        ),
        Layout(
            id="tag",
            width=50,
            height=25,
            purpose="unit, room, place or badge: Data Matrix of its own number",
            parts=(
                Code(x=2, y=2, content="{code}", symbology=Symbology.DATA_MATRIX, module=0.9),
                Text(x=20, y=3, size=4, content="{code}", bold=True),
                Text(x=20, y=10, size=2.5, content="{name}"),
                Text(x=20, y=15, size=2, content="{kind}"),
            ),
        ),
        Layout(
            id="link",
            width=40,
            height=25,
            purpose="document or device: QR code with a web address",
            parts=(
                Code(x=2, y=2, content="{address}", symbology=Symbology.QR, module=0.5),
                Text(x=2, y=21.5, size=2.4, content="{name}"),
            ),
        ),
    )
}
"""The packaged layouts by name."""
