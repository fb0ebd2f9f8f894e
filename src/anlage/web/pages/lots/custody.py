"""A lot's custody as a picture: each container a line through time, by how it is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from anlage.app import custody_histories
from anlage.custody import Evidence, Span, prove, spans
from anlage.plant import Lot
from anlage.web.here import installation
from anlage.web.reading import local, now, person_name, state

WIDTH, ROW, LEFT, TOP = 1000, 30, 190, 26
STYLES = {
    Evidence.SCANNED: "scanned",
    Evidence.DEVICE: "scanned",
    Evidence.ATTESTED_LATER: "attested",
    Evidence.PAPER: "paper",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One container through time."""

    container: str
    vessel: str
    end: str
    spans: Sequence[Span]


@require_GET
def custody(request: HttpRequest, name: str) -> HttpResponse:
    """Show where every container of a lot was, who answered for it, and what is not known."""
    lot = state(Lot, "lot", name)
    at = now()
    histories, chosen = custody_histories(installation(), lot.stream)
    proof = prove(histories, now=at, subjects=chosen)
    rows = installation().rows("containers")
    lines = [
        Line(
            container=one,
            vessel=str((rows.get(one) or {}).get("vessel", "")),
            end=str((rows.get(one) or {}).get("end", "")),
            spans=spans(histories, one, now=at),
        )
        for one in chosen
    ]
    lines.sort(key=lambda line: line.spans[0].start if line.spans else at)
    context = {
        "lot": lot,
        "proof": proof,
        "shares": [(grade.value, proof.grade_percent(grade)) for grade in Evidence],
        "lines": lines,
        "picture": picture(lines, at),
    }
    return render(request, "lots/custody.html", context)


def picture(lines: Sequence[Line], until: datetime) -> SafeString:
    """Draw the lines. Every text is a container's number, a place or a name, escaped here."""
    drawn = [line for line in lines if line.spans]
    if not drawn:
        return mark_safe("")
    first = min(line.spans[0].start for line in drawn)
    last = max(until, first + timedelta(minutes=1))
    height = TOP + ROW * len(drawn) + 6
    parts = [f'<svg class="lanes" viewBox="0 0 {WIDTH} {height}" role="img">']
    parts += [f"<title>{_text('Custody of each container over time')}</title>"]
    for share in range(5):
        x = LEFT + (WIDTH - LEFT) * share / 4
        when = local(first + (last - first) * share / 4)[:10]
        anchor = "end" if share == 4 else "start" if share == 0 else "middle"
        parts.append(f'<line class="grid" x1="{x:.0f}" x2="{x:.0f}" y1="{TOP - 6}" y2="{height}"/>')
        parts.append(f'<text x="{x:.0f}" y="14" text-anchor="{anchor}">{when}</text>')
    for index, line in enumerate(drawn):
        y = TOP + ROW * index
        parts.append(f'<text class="name" x="0" y="{y + 19}">{_text(line.container)}</text>')
        parts += [_span(span, first, last, y + 6) for span in line.spans]
    return mark_safe("".join([*parts, "</svg>"]))


def _span(span: Span, first: datetime, last: datetime, y: int) -> str:
    scale = (WIDTH - LEFT) / (last - first).total_seconds()
    x = LEFT + (span.start - first).total_seconds() * scale
    width = max(2.0, (span.end - span.start).total_seconds() * scale)
    style = STYLES[span.grade] if span.grade is not None else "gap"
    where = f"{span.place}, {person_name(span.holder or '')}" if span.grade else span.why
    words = f"{local(span.start)} - {local(span.end)}: {where}"
    return (
        f'<rect class="{style}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="18" rx="2">'
        f"<title>{_text(words)}</title></rect>"
    )


def _text(words: str) -> str:
    return escape(words)
