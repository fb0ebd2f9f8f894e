"""WEB: the thin shell of pages and API.

Touches: app and package types.
Touched by: nothing.
Start at: pages/.
"""
