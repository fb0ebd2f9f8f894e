"""WIRE: engines that talk: symbols, labels, EPCIS, loggers.

Touches: packages, to carry their types.
Touched by: app, web, cli.
Start at: any engine.
"""
