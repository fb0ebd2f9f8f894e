"""One signature of a courier without a login; the link names the shipment and opens no more."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods

from anlage.app import HANDLING, request_of
from anlage.base import Refused
from anlage.custody.transport import Shipment
from anlage.record import Actor, Stream
from anlage.web.here import installation
from anlage.web.reading import now

NAME_MAX, SECRET_MAX = 96, 200


@require_http_methods(["GET", "POST"])
def sign(request: HttpRequest, name: str, secret: str) -> HttpResponse:
    """Show what is taken or given, and take the signature."""
    found = _open_link(name, secret)
    context: dict[str, Any] = {"handling": HANDLING, "filled": request.POST}
    if found is None:
        return render(request, "courier/spent.html", status=410)
    shipment, link = found
    context |= {"shipment": shipment, "link": link}
    if request.method == "GET":
        return render(request, "courier/sign.html", context)
    values = {key: request.POST.get(key, "") for key in ("name", "seal", "place")}
    asked = request_of("sign-as-courier", {"shipment": name, "secret": secret, **values})
    try:
        installation().engine.do(asked, actor=Actor(via="courier-link"))
    except Refused as refusal:
        problems = refusal.problems
        return render(request, "courier/sign.html", context | {"problems": problems}, status=409)
    return render(request, "courier/done.html", context)


def _open_link(name: str, secret: str) -> Any:
    """Give shipment and link, where the link can still be used; None else, whatever the reason."""
    stream = f"shipment/{name}"
    if not Stream.pattern.fullmatch(stream) or len(name) > NAME_MAX or len(secret) > SECRET_MAX:
        return None
    shipment = installation().engine.state(Shipment, Stream(stream))
    digest = hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
    link = shipment.links.get(digest)
    if link is None or digest in shipment.spent or now() >= link.expires:
        return None
    return shipment, link


ADDRESSES = [path("courier/<str:name>/<str:secret>", sign)]
