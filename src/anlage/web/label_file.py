"""Labels as a printer takes them: the answer of every page that prints some."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

from anlage.base import Refused
from anlage.wire.labels import Layout, render, zpl

FORMS = {"pdf": "application/pdf", "zpl": "text/plain; charset=utf-8", "png": "image/png"}


def label_file(
    request: HttpRequest,
    layout: Layout,
    rows: Sequence[Mapping[str, str]],
    *,
    name: str,
    form: str,
) -> HttpResponse:
    """Give labels as a file; the request says `dpi`, and `sheet=yes` for A4 sheets.

    Raises:
        Refused: As the renderer says it; or a picture of several labels, which shows one alone.
    """
    text = request.GET.get("dpi", "300")
    dpi = int(text) if text.isdigit() else 300
    if form == "png" and len(rows) != 1:
        raise Refused(
            "label-job-malformed",
            what=f"picture of {name}"[:80],
            found=f"{len(rows)} labels",
            limit="one label",
            remedy="name one of them, or take the PDF",
        )
    if form == "zpl":
        data = zpl(layout, rows, dpi=dpi).encode()
    else:
        on_sheets = request.GET.get("sheet") == "yes"
        data = render(layout, rows, form=form, dpi=dpi, on_sheets=on_sheets).pages[0]
    answer = HttpResponse(data, content_type=FORMS[form])
    answer["Content-Disposition"] = f'inline; filename="{quote(name)}.{form}"'
    return answer
