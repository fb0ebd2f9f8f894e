"""The views of codes, scans, captured events and claims."""

from . import capture, claim, label_set, naming, scan

VIEWS = (*capture.VIEWS, *naming.VIEWS, *claim.VIEWS, *scan.VIEWS, *label_set.VIEWS)
