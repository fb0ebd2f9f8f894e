"""The commands of `anlage define` that act on an installation."""

import argparse
from typing import TYPE_CHECKING, Any

from anlage.base import Refused, instant, stamp

from .acting import Acting, ask_person
from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.library import Definition, LotImpact, Version


def register_acts(group: Group) -> None:
    """Add the commands."""
    list_ = group.command("list", _list, help="the definitions of an installation")
    list_.add_argument("--kind", help="one kind only")
    show = group.command("show", _show, help="one definition, its versions and content")
    show.add_argument("name", metavar="KIND/ID")
    show.add_argument("--number", type=int, metavar="N", help="the content of this version")
    used = group.command("used", _used, help="which definitions name this one")
    used.add_argument("name", metavar="KIND/ID")
    changes = group.command("changes", _changes, help="what a version changed: path, old, new")
    changes.add_argument("name", metavar="KIND/ID")
    changes.add_argument("old", type=int)
    changes.add_argument("new", type=int)
    draft = group.command("draft", _draft, help="write the next version from a file")
    draft.add_argument("file")
    draft.add_argument("--reason", help="why it changes (from the second version on)")
    draft.add_argument("--impact", help="what the change means (from the second version on)")
    submit = group.command("submit", _submit, help="fix a draft and hand it to review")
    submit.add_argument("name", metavar="KIND/ID")
    back = group.command("return", _return, help="send a version back to its author")
    back.add_argument("name", metavar="KIND/ID")
    back.add_argument("--reason", required=True)
    approve = group.command("approve", _approve, help="make a version effective")
    approve.add_argument("name", metavar="KIND/ID")
    approve.add_argument("--effective", metavar="INSTANT", help="from when; at once when left out")
    retire = group.command("retire", _retire, help="take a definition out of use at once")
    retire.add_argument("name", metavar="KIND/ID")
    retire.add_argument("--reason", required=True)
    retire.add_argument("--impact", required=True)
    for parser in (approve, retire):
        parser.add_argument(
            "--lot",
            action="append",
            default=[],
            metavar="LOT=TREATMENT:WHY",
            help="what becomes of a lot in progress: continues, moves or held",
        )
    for parser in (draft, submit, back, approve, retire):
        ask_person(parser)


def _list(options: argparse.Namespace) -> Answer:
    from anlage.app import opened

    with opened(options.data) as site:
        at = site.clock.now()
        rows = [row for _, row in site.rows("definitions").find(facet=options.kind, limit=10_000)]
    found = [_row(row, stamp(at)) for row in rows]
    lines = [
        f"{one['kind']:16} {one['id']:30} {one['effective'] or '-':>3} {one['title']}"
        for one in found
    ]
    return Answer({"at": stamp(at), "definitions": found}, "\n".join(lines))


def _row(row: dict[str, Any], at: str) -> dict[str, Any]:
    usable = [
        one["number"]
        for one in row["versions"]
        if one.get("effective", "~") <= at < (one.get("until") or row["retired"] or "~")
    ]
    return {
        "kind": row["kind"],
        "id": row["id"],
        "title": row["title"],
        "effective": usable[-1] if usable else None,
        "latest": len(row["versions"]),
        "state": row["versions"][-1]["state"] if row["versions"] else None,
        "retired": row["retired"],
        "lots": row["lots"],
    }


def _show(options: argparse.Namespace) -> Answer:
    from anlage.app import opened

    with opened(options.data) as site:
        definition = _definition(site, options.name)
        at = site.clock.now()
    chosen = options.number or (
        (definition.effective(at) or definition.versions[-1]).number if definition.versions else 0
    )
    one = definition.version(chosen)
    data = {
        "kind": definition.kind,
        "id": definition.id,
        "retired": definition.retired_since and stamp(definition.retired_since),
        "lots": dict(definition.lots),
        "versions": [_version(definition, each, at) for each in definition.versions],
        "number": one.number,
        "content": one.content,
    }
    return Answer(data)


def _version(definition: "Definition", one: "Version", at: Any) -> dict[str, Any]:
    return {
        "number": one.number,
        "state": definition.state_at(one.number, at).value,
        "digest": one.digest,
        "author": one.author,
        "approver": one.approver,
        "effective": one.effective_from and stamp(one.effective_from),
        "until": one.effective_until and stamp(one.effective_until),
        "reason": one.note and one.note.reason,
        "impact": one.note and one.note.impact,
        "signed": [f"{each.name}: {each.meaning}" for each in one.signatures],
    }


def _used(options: argparse.Namespace) -> Answer:
    from anlage.app import opened
    from anlage.library import where_used

    kind, id = _name(options.name)
    with opened(options.data) as site:
        found = where_used(site.rows("definitions"), kind, id)
    names = [one.replace(":", "/", 1) for one in found]
    return Answer({"definition": options.name, "used_by": names}, "\n".join(names) or "nowhere")


def _changes(options: argparse.Namespace) -> Answer:
    from anlage.app import opened
    from anlage.library import difference

    with opened(options.data) as site:
        definition = _definition(site, options.name)
    old, new = definition.version(options.old), definition.version(options.new)
    changes = difference(old.content, new.content)
    data = {
        "definition": options.name,
        "changes": [{"path": one.path, "old": one.old, "new": one.new} for one in changes],
    }
    return Answer(data, "\n".join(map(str, changes)) or "no difference")


def _draft(options: argparse.Namespace) -> Answer:
    from pathlib import Path

    from anlage.app import opened
    from anlage.library import DraftDefinition, check_document

    from .define import bytes_of

    with opened(options.data) as site:
        checked = check_document(bytes_of(Path(options.file)), options.file)
        acting = Acting(options, site)
        acting.do(
            DraftDefinition(content=checked.content, reason=options.reason, impact=options.impact)
        )
        definition = _definition(site, f"{checked.kind}/{checked.id}")
        return _done(definition, site.clock.now())


def _submit(options: argparse.Namespace) -> Answer:
    from anlage.app import opened
    from anlage.library import SubmitDefinition

    with opened(options.data) as site:
        definition, one = _latest(site, options.name)
        acting = Acting(options, site)
        signature = acting.sign("submitted for review", _shown(definition, one))
        acting.do(
            SubmitDefinition(
                kind=definition.kind, id=definition.id, number=one.number, signature=signature
            )
        )
        return _done(_definition(site, options.name), site.clock.now())


def _return(options: argparse.Namespace) -> Answer:
    from anlage.app import opened
    from anlage.library import ReturnDefinition

    with opened(options.data) as site:
        definition, one = _latest(site, options.name)
        request = ReturnDefinition(
            kind=definition.kind, id=definition.id, number=one.number, reason=options.reason
        )
        Acting(options, site).do(request)
        return _done(_definition(site, options.name), site.clock.now())


def _approve(options: argparse.Namespace) -> Answer:
    from anlage.app import opened
    from anlage.library import ApproveDefinition

    with opened(options.data) as site:
        definition, one = _latest(site, options.name)
        acting = Acting(options, site)
        effective = instant(options.effective) if options.effective else None
        shown = _shown(definition, one)
        shown["effective"] = stamp(effective) if effective else "at once"
        acting.do(
            ApproveDefinition(
                kind=definition.kind,
                id=definition.id,
                number=one.number,
                digest=one.digest,
                effective=effective,
                lots=_impacts(options.lot),
                signature=acting.sign("approved", shown),
            )
        )
        return _done(_definition(site, options.name), site.clock.now())


def _retire(options: argparse.Namespace) -> Answer:
    from anlage.app import opened
    from anlage.library import RetireDefinition

    with opened(options.data) as site:
        definition, one = _latest(site, options.name)
        acting = Acting(options, site)
        shown = {**_shown(definition, one), "reason": options.reason, "impact": options.impact}
        acting.do(
            RetireDefinition(
                kind=definition.kind,
                id=definition.id,
                reason=options.reason,
                impact=options.impact,
                lots=_impacts(options.lot),
                signature=acting.sign("retired", shown),
            )
        )
        return _done(_definition(site, options.name), site.clock.now())


def _done(definition: "Definition", at: Any) -> Answer:
    versions = [_version(definition, each, at) for each in definition.versions]
    last = versions[-1]
    data = {"kind": definition.kind, "id": definition.id, "versions": versions, **last}
    return Answer(data, f"{definition}, version {last['number']}: {last['state']}")


def _shown(definition: "Definition", one: "Version") -> dict[str, str]:
    return {
        "definition": str(definition),
        "version": str(one.number),
        "title": one.title,
        "digest": one.digest,
    }


def _latest(site: Any, name: str) -> "tuple[Definition, Version]":
    definition = _definition(site, name)
    return definition, definition.version(len(definition.versions))


def _definition(site: Any, name: str) -> "Definition":
    from anlage.library import Definition, stream_of

    found: Definition = site.engine.state(Definition, stream_of(*_name(name)))
    return found


def _name(text: str) -> tuple[str, str]:
    kind, slash, id = text.partition("/")
    if not slash or not kind or not id:
        raise Refused(
            "definition-name",
            what="definition",
            found=repr(text[:60]),
            limit="KIND/ID, such as specification/cd19-car-t-release",
            remedy="write both",
        )
    return kind, id


def _impacts(words: list[str]) -> "tuple[LotImpact, ...]":
    from anlage.library import LotImpact, Treatment

    treatments = {
        "continues": Treatment.CONTINUES,
        "moves": Treatment.MOVES,
        "held": Treatment.HELD,
    }
    found = []
    for word in words:
        lot, _, rest = word.partition("=")
        treatment, _, why = rest.partition(":")
        if not lot or treatment not in treatments or not why.strip():
            raise Refused(
                "impact-malformed",
                what="--lot",
                found=repr(word[:60]),
                limit="LOT=TREATMENT:WHY with continues, moves or held",
                remedy='write it as "L-0412=continues:made under version 1"',
            )
        found.append(LotImpact(lot=lot, treatment=treatments[treatment], why=why.strip()))
    return tuple(found)
