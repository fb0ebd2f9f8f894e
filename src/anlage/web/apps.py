"""The Django application of the pages (templates, static files)."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages."""

    name = "anlage.web"
    label = "web"
