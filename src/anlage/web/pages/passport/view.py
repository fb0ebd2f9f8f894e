"""Check a passport: a page without a login, whose script judges it in the browser alone."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from anlage.app import offline_page


@require_GET
def check(request: HttpRequest) -> HttpResponse:
    """Show the page; nothing that is entered in it is sent anywhere."""
    return render(request, "passport/check.html", {})


@require_GET
def offline(request: HttpRequest) -> HttpResponse:
    """Give the same page as one file to keep, with a key in it when one is asked for."""
    answer = HttpResponse(offline_page(request.GET.get("key", "")), content_type="text/html")
    answer["Content-Disposition"] = 'attachment; filename="passport-check.html"'
    return answer


ADDRESSES = [path("check", check), path("check/offline", offline)]
