"""What is counted while the server runs, as Prometheus reads it.

Labels are patterns and words of ours, never a value that somebody sent: their number stays small.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gadoscope.labels import SeriesResult
from gadoscope.version import __version__

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "gadoscope_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "gadoscope_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.under_way = Gauge(
            "gadoscope_requests_under_way", "Requests not answered yet.", registry=self.registry
        )
        self.answers = Counter(
            "gadoscope_answers", "Answers to uploads and paths.", ("status", "phase"), registry=self.registry
        )
        self.uploaded = Counter("gadoscope_uploaded_bytes", "Bytes of uploads.", registry=self.registry)
        self.jobs = Counter("gadoscope_jobs", "Jobs that ended.", ("state",), registry=self.registry)
        about = Gauge("gadoscope_info", "What is served.", ("version",), registry=self.registry)
        about.labels(__version__).set(1)

    def count_answer(self, row: SeriesResult) -> None:
        """Count one answer."""
        self.answers.labels(row.status.value, "" if row.phase is None else row.phase.value).inc()

    def write(self) -> bytes:
        """Return all of them as text."""
        return generate_latest(self.registry)
