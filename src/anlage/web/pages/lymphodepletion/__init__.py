"""LYMPHODEPLETION: whether the patient may be prepared.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
