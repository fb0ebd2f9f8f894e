"""The views of codes, scans, labels, captured events, claims and measures."""

from . import capture, claim, label_set, metric, naming, scan

VIEWS = (*capture.VIEWS, *naming.VIEWS, *claim.VIEWS, *scan.VIEWS, *label_set.VIEWS, *metric.VIEWS)
