"""API: the same commands and streams as JSON, described by OpenAPI.

Touches: app, record.
Touched by: web/urls.py.
Start at: interface.py.
"""

from .interface import api

__all__ = ["api"]
