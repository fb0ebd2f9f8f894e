"""Every view of the package, for `app/assemble.py`."""

from . import capture, claim, naming, scan

VIEWS = (*capture.VIEWS, *naming.VIEWS, *claim.VIEWS, *scan.VIEWS)
