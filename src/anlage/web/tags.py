"""Template words: times with their zone, digests short, values plain."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template

from anlage.base import instant

from .here import installation

register = template.Library()


@register.filter
def moment(value: Any) -> str:
    """Show an instant (or its text) in the site's zone, zone named: 2026-03-01 12:00 UTC."""
    if not value:
        return ""
    at = instant(value) if isinstance(value, str) else value
    if not isinstance(at, datetime):
        return str(value)
    local = at.astimezone(ZoneInfo(installation().settings.time_zone))
    return local.strftime("%Y-%m-%d %H:%M %Z")


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
    """Show a name in kebab or snake case as words."""
    text = str(value).replace("-", " ").replace("_", " ").strip()
    return text[:1].upper() + text[1:]


@register.filter
def item(value: Any, key: str) -> Any:
    """Give the entry of a mapping, or nothing."""
    return value.get(key) if isinstance(value, dict) else None
