"""A site's own excursion rule, from YAML."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from anlage.base import Refused
from anlage.custody import Band, ExcursionRule, Holds, Kinetic, Verdict


def read_rule(path: Path) -> ExcursionRule:
    """Read an excursion rule.

    Keys: `id`, `product`, `valid_from`, `holds` (living cells | stored reagent), `bands` (each with
    `low`, `high` in degC, `outside_minutes_max`, `beyond`, `why`), and for reagents `kinetic`
    (`limit` in degC, `window_hours`).

    Raises:
        Refused: The file cannot be read, or a part is missing or malformed.
    """
    try:
        value: Any = yaml.safe_load(path.read_text("utf-8"))
        return ExcursionRule(
            id=str(value["id"]),
            product=str(value["product"]),
            valid_from=_date(value["valid_from"]),
            holds=Holds(value["holds"]),
            bands=tuple(
                Band(
                    low=None if band.get("low") is None else float(band["low"]),
                    high=None if band.get("high") is None else float(band["high"]),
                    outside_max=timedelta(minutes=float(band.get("outside_minutes_max", 0))),
                    beyond=Verdict(band["beyond"]),
                    why=str(band["why"]),
                )
                for band in value["bands"]
            ),
            kinetic=Kinetic(
                limit=float(value["kinetic"]["limit"]),
                window=timedelta(hours=float(value["kinetic"]["window_hours"])),
            )
            if value.get("kinetic")
            else None,
            source=str(value.get("source", path.name)),
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise Refused(
            "excursion-rule-malformed",
            what=f"excursion rule {path.name}",
            found=f"{type(error).__name__}: {error}"[:120],
            limit="id, product, valid_from, holds, bands with low, high, outside_minutes_max,"
            " beyond (accept, quarantine, reject) and why",
            remedy="correct the file; docs/how-to/judge-a-logger.md shows one",
            rule="ISO 21973",
            path=path.name,
        ) from error


def _date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
