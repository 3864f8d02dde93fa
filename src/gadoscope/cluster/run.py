"""What the files and the studies of one run share on a cluster."""

from dataclasses import dataclass, field

from distributed import Client

from gadoscope.classification.options import RunOptions
from gadoscope.cluster.places import Places
from gadoscope.cluster.tasks import Setup
from gadoscope.inference.session import Session


@dataclass(frozen=True)
class ClusterRun:
    """One run.

    Parameters
    ----------
    client
        Of the cluster.
    setup
        What every task is told.
    session, options
        The bundle as it is loaded here, and how inputs are answered.
    n_ahead
        Tasks under way at once, at most.
    places
        The paths, as workers and as the user know them.
    """

    client: Client
    setup: Setup
    session: Session
    options: RunOptions
    n_ahead: int
    places: Places = field(default_factory=Places)
