"""APP: the wiring: settings, assembly, the command engine.

Touches: everything below.
Touched by: web, cli.
Start at: engine.py.
"""
