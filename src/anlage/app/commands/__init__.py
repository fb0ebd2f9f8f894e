"""COMMANDS: the handlers that load states and call the pure decisions of the packages.

Touches: every package below app.
Touched by: app/assemble.py, which imports each module so that its commands are bound.
Start at: any family.
"""
