"""EPCIS 2.0 for machines: capture and query over HTTP under /epcis/.

Touches: app, wire.epcis and package types.
Touched by: web/urls.py.
Start at: view.py, then query.py (what an event is found by) and answer.py (headers, problems).
"""
