"""The Django application of the desk."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Accounts, sessions, tokens."""

    name = "anlage.store.desk"
    label = "desk"
    default_auto_field = "django.db.models.BigAutoField"
