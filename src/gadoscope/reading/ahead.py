"""What lies at an address is asked for before it is wanted; a disk needs none of this, and pays nothing."""

from collections.abc import Iterable, Sequence

from gadoscope.reading.archives.sources import Source


def read_starts_ahead(sources: Iterable[Source]) -> None:
    """Ask for the first bytes of all of them at once, for those that open them one by one afterwards."""
    remote = [source for source in sources if source.remote is not None and not source.member]
    if remote:
        from gadoscope.reading.remote.ahead import read_starts  # noqa: PLC0415 — disks do without

        read_starts(remote)


def with_pixels_ahead(sources: Sequence[Source]) -> Iterable[Source]:
    """Return the instances in their order; when one is taken, the next few were asked for whole."""
    if not any(source.remote is not None and not source.member for source in sources):
        return sources
    from gadoscope.reading.remote.ahead import iter_with_pixels  # noqa: PLC0415 — as above

    return iter_with_pixels(sources)
