"""TAGS: the code of everything physical that stands here: units, rooms, places, persons' badges.

Touches: app, wire and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
