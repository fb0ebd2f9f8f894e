"""Template words: times with their zone, digests short, values plain."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

from django import template

from anlage.base import instant

from .here import installation
from .reading import local, nearness, now, person_name

register = template.Library()
# Of the trade; everything else is written out.
ABBREVIATIONS = {
    one.lower(): one
    for one in (
        "QA",
        "QC",
        "QP",
        "RCL",
        "CoA",
        "MOI",
        "SOP",
        "GMO",
        "CAR",
        "MSC",
        "ID",
        "GS1",
        "EPC",
        "RFID",
        "GTIN",
        "GLN",
        "SSCC",
        "ISBT128",
        "DIN",
        "CoI",
    )
}


@register.filter
def moment(value: Any) -> str:
    """Show an instant (or its text) in the site's zone, zone named: 2026-03-01 12:00 UTC."""
    if not value:
        return ""
    at = instant(value) if isinstance(value, str) else value
    if not isinstance(at, datetime):
        return str(value)
    return local(at)


@register.filter
def short(value: Any) -> str:
    """Show the first twelve characters of a digest."""
    return str(value)[:12]


@register.filter
def pretty(value: Any) -> str:
    """Show JSON values, indented."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def words(value: Any) -> str:
    """Show a name in kebab or snake case as words; what is words already keeps its signs."""
    text = str(value).strip()
    if " " not in text:
        text = text.replace("-", " ").replace("_", " ")
    parts = [_written(part) for part in text.split(" ")]
    if parts[0] == text.split(" ")[0]:
        parts[0] = parts[0][:1].upper() + parts[0][1:]
    return " ".join(parts)


def _written(part: str) -> str:
    """Give a word as the trade writes it: abbreviations and clusters of differentiation large."""
    if _CLUSTER.fullmatch(part):
        return part.upper()
    return ABBREVIATIONS.get(part.lower(), part)


_CLUSTER = re.compile(r"cd\d{1,3}[a-z]{0,2}", re.IGNORECASE)


@register.filter
def titled(value: Any, kind: str) -> str:
    """Show the title of a definition by kind and identifier; its identifier as words else."""
    row = installation().rows("definitions").get(f"{kind}:{value}") if value else None
    return str(row["title"]) if row and row["title"] else str(words(value or ""))


@register.filter
def item(value: Any, key: str) -> Any:
    """Give the entry of a mapping, or nothing."""
    return value.get(key) if isinstance(value, dict) else None


@register.filter
def person(value: Any) -> str:
    """Show the printed name of a person by the identifier."""
    return person_name(str(value)) if value else ""


@register.filter
def near(value: Any) -> str:
    """Give the style of an end: "alarm" when past, "warn" when within 30 days."""
    return nearness(value or None)


@register.filter
def day(value: Any) -> str:
    """Show the day of an instant in the site's zone."""
    return str(moment(value))[:10]


@register.filter
def span(value: Any) -> str:
    """Show how long something lasts or lasted: 2 d 3 h, 45 min."""
    if not isinstance(value, timedelta):
        return ""
    minutes = abs(round(value.total_seconds() / 60))
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    rest = minutes % 60
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{rest} min"


@register.filter
def until(value: Any) -> str:
    """Show how far an instant lies ahead or behind: in 2 d 3 h, 45 min ago."""
    if not value:
        return ""
    at = instant(value) if isinstance(value, str) else value
    apart = at - now()
    return f"in {span(apart)}" if apart > timedelta() else f"{span(apart)} ago"


@register.filter
def figure(value: Any) -> str:
    """Show numbers with their thousands apart: 6300000000 cell as 6 300 000 000 cell."""
    return _LONG.sub(lambda found: f"{int(found[0]):,}".replace(",", "\u202f"), str(value))


_LONG = re.compile(r"(?<![\w.,-])\d{5,}(?![\w-])")
