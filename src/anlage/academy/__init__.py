"""ACADEMY: teaching and qualifying the people who make cells.

Touches: plant, lab, network and below.
Touched by: store, wire, app, web, cli.
Start at: (curricula come with a later issue).
"""
