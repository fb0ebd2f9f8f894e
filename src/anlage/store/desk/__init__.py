"""DESK: the plain rows: accounts, sessions, tokens of interfaces. Everything else is facts.

Touches: Django.
Touched by: app (accounts), web.
Start at: models.py.
"""
