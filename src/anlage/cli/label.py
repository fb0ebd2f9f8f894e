"""`anlage label`: labels as PDF, PNG and ZPL."""

import argparse
import csv
import json
from pathlib import Path

from anlage.base import Refused
from anlage.cli.shell import Answer, Group

_FORMS = {".pdf": "pdf", ".png": "png", ".zpl": "zpl"}


def register(group: Group) -> None:
    """Add the commands of the group."""
    parser = group.command("render", render, help="print labels to PDF, PNG or ZPL")
    parser.add_argument("layout", metavar="LAYOUT", help="name of a layout, or a YAML file")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--field", action="append", default=[], metavar="NAME=VALUE", help="a field of the label"
    )
    parser.add_argument("--rows", type=Path, metavar="FILE", help="one label per row, CSV or JSON")
    parser.add_argument("--copies", type=int, default=1, metavar="N")
    parser.add_argument("--dpi", type=int, default=300, help="dots per inch of the printer")
    parser.add_argument("--sheet", action="store_true", help="side by side on A4 sheets")
    group.command("layouts", layouts, help="the packaged layouts and their fields")


def render(options: argparse.Namespace) -> Answer:
    """Print labels; nothing is written unless every symbol reads back."""
    from anlage.wire.labels import LAYOUTS, read_layout
    from anlage.wire.labels import render as print_labels
    from anlage.wire.labels import zpl as print_zpl

    layout = LAYOUTS.get(options.layout)
    if layout is None:
        path = Path(options.layout)
        if not path.is_file():
            raise _refuse(
                f"layout {options.layout}", "none of that name", ", ".join(LAYOUTS), "YAML file"
            )
        layout = read_layout(path)
    form = _FORMS.get(options.output.suffix.lower())
    if form is None:
        raise _refuse("output file", options.output.suffix or "no suffix", ".pdf, .png, .zpl")
    shared = dict(_pair(word) for word in options.field)
    rows = [{**shared, **row} for row in (_rows(options.rows) if options.rows else [{}])]
    rows = [row for row in rows for _ in range(max(1, options.copies))]
    written: list[str] = []
    read: list[str] = []
    if form == "zpl":
        options.output.write_text(print_zpl(layout, rows, dpi=options.dpi), "utf-8")
        written.append(str(options.output))
    else:
        printed = print_labels(layout, rows, form=form, dpi=options.dpi, on_sheets=options.sheet)
        read = list(printed.read)
        for number, page in enumerate(printed.pages, 1):
            several = len(printed.pages) > 1
            target = options.output
            if several:
                target = target.with_stem(f"{target.stem}-{number}")
            target.write_bytes(page)
            written.append(str(target))
    data = {
        "files": written,
        "layout": layout.id,
        "labels": len(rows),
        "width_mm": layout.width,
        "height_mm": layout.height,
        "dpi": options.dpi,
        "symbols_read_back": read,
    }
    return Answer(data, f"{len(rows)} labels {layout.id}: {', '.join(written)}")


def layouts(_options: argparse.Namespace) -> Answer:
    """List the packaged layouts."""
    from anlage.wire.labels import LAYOUTS

    found = [
        {
            "layout": layout.id,
            "width_mm": layout.width,
            "height_mm": layout.height,
            "purpose": layout.purpose,
            "fields": layout.fields,
        }
        for layout in LAYOUTS.values()
    ]
    text = "\n".join(
        f"{layout.id:<10}{layout.width:g} x {layout.height:g} mm  {layout.purpose};"
        f" fields {', '.join(layout.fields)}"
        for layout in LAYOUTS.values()
    )
    return Answer({"layouts": found}, text)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text("utf-8-sig")
        if path.suffix.lower() == ".json":
            rows = json.loads(text)
            return [{str(key): str(value) for key, value in row.items()} for row in rows]
        return [dict(row) for row in csv.DictReader(text.splitlines())]
    except (OSError, ValueError, AttributeError, TypeError, csv.Error) as error:
        raise _refuse(
            f"rows {path}", str(error)[:100], "CSV with a heading, or a JSON list of objects"
        ) from error


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise _refuse("field", word, "NAME=VALUE")
    return name, value


def _refuse(what: str, found: str, limit: str, more: str = "") -> Refused:
    return Refused(
        "label-job-malformed",
        what=what,
        found=found,
        limit=f"{limit}{f', or a {more}' if more else ''}",
        remedy="see `anlage label layouts`",
        rule="Anlage labels",
    )
