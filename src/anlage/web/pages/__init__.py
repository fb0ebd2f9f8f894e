"""PAGES: one folder per job at hand of one kind of person: a view and its templates, nothing else.

Touches: app, the packages' faces, web's shell.
Touched by: web/urls.py.
Start at: any job.
"""
