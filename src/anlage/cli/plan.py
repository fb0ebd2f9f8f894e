"""`anlage plan`: every touch point of a lot on the real calendar."""

import argparse
from datetime import UTC, date, time, timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from anlage.base import Refused, stamp

from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.plant import LotPlan, Recipe, TouchPoint, WorkingHours


def register(group: Group) -> None:
    """Add `anlage plan lot`."""
    lot = group.command("lot", _plan, help="put every step of a lot on the calendar")
    lot.add_argument("product", metavar="PRODUCT", help="a product, or a recipe file in YAML")
    lot.add_argument(
        "--collect", required=True, metavar="DATE", help="day (and time) of collection"
    )
    lot.add_argument("--zone", default="UTC", help="time zone of the site, such as Europe/Berlin")
    lot.add_argument("--hours", default="07:00-19:00", help="working hours, such as 07:00-19:00")
    lot.add_argument(
        "--days", default="mon-fri", help="working days, such as mon-fri or mon,wed,fri"
    )
    lot.add_argument(
        "--holiday", action="append", default=[], metavar="DATE", help="a day without work"
    )
    lot.add_argument("--holidays", type=Path, metavar="FILE", help="days without work, one a line")


def _plan(args: argparse.Namespace) -> Answer:
    from anlage.plant import begin_of, better_begins, plan_lot

    hours = _hours(args)
    recipe = _recipe(args.product)
    begins = begin_of(args.collect, hours)
    plan = plan_lot(recipe, begins, hours)
    options = [
        {"collect": day.isoformat(), "duties": duties, "conflicts": conflicts}
        for day, duties, conflicts in better_begins(recipe, begins, hours)
    ]
    data = {
        "product": recipe.product,
        "recipe": recipe.id,
        "digest": recipe.digest,
        "zone": args.zone,
        "collect": stamp(plan.begins),
        "ends": stamp(plan.ends),
        "results_due": stamp(plan.results) if plan.results else None,
        "days": round((plan.ends - plan.begins) / timedelta(days=1), 2),
        "touch_points": [_point(one, hours) for one in plan.touch_points],
        "duties": len(plan.duties),
        "conflicts": list(plan.conflicts),
        "options": options,
        "ok": not plan.conflicts,
    }
    return Answer(data, _text(plan, hours), ok=not plan.conflicts)


def _point(one: "TouchPoint", hours: "WorkingHours") -> dict[str, Any]:
    phase = one.phase
    return {
        "step": phase.id if one.round == 1 else f"{phase.id}:{one.round}",
        "name": phase.name,
        "kind": str(phase.kind),
        "unit": phase.unit,
        "operation": phase.operation,
        "role": phase.role,
        "witness": phase.witness,
        "room": phase.room,
        "equipment": list(phase.equipment),
        "starts": stamp(one.starts),
        "ends": stamp(one.ends),
        "local": one.starts.astimezone(hours.zone).isoformat(),
        "attended": one.is_attended,
        "duty": one.is_duty,
        "moved_minutes": round(one.moved.total_seconds() / 60),
        "note": one.note,
    }


def _text(plan: "LotPlan", hours: "WorkingHours") -> str:
    lines = []
    for one in plan.touch_points:
        local = one.starts.astimezone(hours.zone)
        mark = "  duty" if one.is_duty else ""
        who = one.phase.role if one.is_attended else "(unattended)"
        lines.append(f"{local:%a %Y-%m-%d %H:%M}  {one.phase.name:<42} {who}{mark}")
    lines.append(f"Ends {plan.ends.astimezone(hours.zone):%a %Y-%m-%d %H:%M}.")
    if plan.results:
        lines.append(f"Last result due {plan.results.astimezone(hours.zone):%a %Y-%m-%d}.")
    lines += [f"Cannot be kept: {conflict}." for conflict in plan.conflicts]
    return "\n".join(lines)


def _recipe(product: str) -> "Recipe":
    from anlage.library import read_yaml
    from anlage.plant import Recipe, check_recipe

    starters = resources.files("anlage.library") / "data" / "recipes"
    known = sorted(one.name.removesuffix(".yaml") for one in starters.iterdir())
    if product in known:
        data, name = (starters / f"{product}.yaml").read_bytes(), product
    elif product.endswith((".yaml", ".yml")) and Path(product).is_file():
        data, name = Path(product).read_bytes(), product
    else:
        raise Refused(
            "product-unknown",
            what="product",
            found=repr(product[:60]),
            limit=f"{', '.join(known)}, or a recipe file",
            remedy="name one of these, or give a file",
        )
    checked = check_recipe(read_yaml(data, name))
    if not checked.ok or checked.recipe is None:
        raise Refused.of(checked.problems)
    return Recipe.read(checked.recipe.content)


def _hours(args: argparse.Namespace) -> "WorkingHours":
    from anlage.plant import WorkingHours

    try:
        begins, _, ends = args.hours.partition("-")
        hours = time.fromisoformat(begins), time.fromisoformat(ends)
        zone = UTC if args.zone == "UTC" else ZoneInfo(args.zone)
        days = _days(args.days)
        if hours[0] >= hours[1]:
            raise ValueError("the end of work before its begin")
        holidays = [*args.holiday, *_lines(args.holidays)]
        off = frozenset(date.fromisoformat(one) for one in holidays)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise Refused(
            "working-hours-unreadable",
            what="working hours",
            found=str(error)[:120],
            limit="hours as 07:00-19:00, days as mon-fri, a time zone, holidays as 2026-12-25",
            remedy="correct the option",
        ) from error
    return WorkingHours(begins=hours[0], ends=hours[1], days=days, holidays=off, zone=zone)


def _days(text: str) -> frozenset[int]:
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    found: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.strip().partition("-")
        begin, end = names.index(first), names.index(last or first)
        found |= (
            set(range(begin, end + 1))
            if begin <= end
            else set(range(begin, 7)) | set(range(end + 1))
        )
    return frozenset(found)


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [line[:10] for line in lines if line]
