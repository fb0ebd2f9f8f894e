"""The pages of this job.

Touches: app, web.
Touched by: web.
Start at: view.py.
"""
