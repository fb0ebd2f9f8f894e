"""My work: what waits for the roles of the person who is logged in, most urgent first."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.library import Phase, qualification_matrix
from anlage.plant import JourneyStage
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.pages.journeys.next import NEXT
from anlage.web.reading import me, now

ROWS_MAX = 500
SHOWN_MAX = 60


@require_GET
def work(request: HttpRequest) -> HttpResponse:
    """Show what waits, by kind of work."""
    person = me(request)
    at = now().isoformat()
    groups = {
        "Steps to do": _rows(person.roles, "step"),
        "Samples and tests": _rows(person.roles, "sample", "test", "approval"),
        "Reviews and releases": _rows(person.roles, "review", "release"),
        "Deviations": _rows(person.roles, "deviation"),
        "Patients": _journeys(person.roles),
        "Materials": _materials(person.roles),
        "Definitions": _definitions(person.roles),
        "My qualifications": _own(person.id),
    }
    for found in groups.values():
        found.sort(key=lambda one: one.get("due") or one.get("since") or "")
    context = {
        "person": person,
        "groups": [
            (
                name,
                [one | {"late": (one.get("due") or "9") < at} for one in found][:SHOWN_MAX],
                len(found),
            )
            for name, found in groups.items()
            if found
        ],
        "shown_max": SHOWN_MAX,
    }
    return render(request, "work/work.html", context)


def _rows(roles: frozenset[str], *kinds: str) -> list[dict[str, Any]]:
    rows = installation().rows("my-work")
    return [
        row | {"link": _link(row)}
        for role in sorted(roles)
        for _, row in rows.find(facet=role, limit=ROWS_MAX)
        if row["kind"] in kinds
    ]


def _link(row: dict[str, Any]) -> str:
    lot, subject = row.get("lot"), row.get("subject", "")
    test = row["what"].split(" ")[1].rstrip(",")
    match row["kind"]:
        case "step":
            return f"/lots/{lot}/step/{row['step']}"
        case "review" | "release":
            return f"/lots/{lot}/review"
        case "deviation":
            return f"/deviations/{subject}"
        case "sample":
            return "/act/receive-sample?" + urlencode({"sample": subject, "back": "/"})
        case "test":
            return f"/samples/{subject}"
        case "approval":
            asked = {"sample": subject, "attribute": row.get("test", test), "back": "/"}
            return f"/act/approve-result?{urlencode(asked)}"
        case _:
            return f"/lots/{lot}"


def _journeys(roles: frozenset[str]) -> list[dict[str, Any]]:
    """Give the journeys whose next act is that of one of the roles."""
    rows = installation().rows("journeys")
    found = []
    for stage, offered in NEXT.items():
        mine = next((one for one in offered if one.is_main and roles & set(one.roles)), None)
        if mine is None or stage is JourneyStage.INFUSED:
            continue
        for coi, row in rows.find(facet=stage.value, limit=ROWS_MAX):
            what = f"{mine.label}: {coi}"
            link = mine.page.format(coi=coi) if mine.page else f"/journeys/{coi}"
            found.append({"what": what, "since": row["last"], "link": link})
    return found


def _materials(roles: frozenset[str]) -> list[dict[str, Any]]:
    """Give the material lots in quarantine: checks for the store keeper, release for quality."""
    if not roles & {"store-keeper", "qa-reviewer"}:
        return []
    found = []
    for name, row in installation().rows("stock").find(limit=ROWS_MAX):
        if row["status"] != "quarantined":
            continue
        is_checked = row["inspection"] == "passed"
        wanted = "qa-reviewer" if is_checked else "store-keeper"
        if wanted in roles:
            word = "Release" if is_checked else "Note the incoming checks of"
            link = f"/materials/{name}"
            found.append(
                {"what": f"{word} {name}, {row['name']}", "since": row["received"], "link": link}
            )
    return found


def _definitions(roles: frozenset[str]) -> list[dict[str, Any]]:
    if "definition-approver" not in roles:
        return []
    found = []
    for _, row in installation().rows("definitions").find(limit=ROWS_MAX):
        latest = row["versions"][-1]
        if latest["state"] == Phase.IN_REVIEW:
            what = f"Approve {row['kind']} {row['id']}, version {latest['number']}"
            link = f"/definitions/{row['kind']}/{row['id']}"
            found.append({"what": what, "since": latest["submitted"], "link": link})
    return found


def _own(person: str) -> list[dict[str, Any]]:
    """Give what the person has to read or renew."""
    found = []
    for one in qualification_matrix(installation().rows("people"), now()):
        if one.person != person or one.word == "valid":
            continue
        kind, _, subject = one.requirement.partition(":")
        link = f"/people/unread/{subject}" if kind == "sop" else f"/people/{person}"
        words = one.word.replace("-", " ")
        due = one.expires.isoformat() if one.expires else None
        found.append(
            {"what": f"{kind.replace('-', ' ')} {subject}: {words}", "due": due, "link": link}
        )
    return found


MENU = (Place(group="today", order=10, path="/", name=gettext_lazy("My work")),)
ADDRESSES = [path("", work)]
