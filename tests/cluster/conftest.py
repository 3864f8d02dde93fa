"""One cluster of two workers for most of these tests."""

from collections.abc import Iterator

import pytest

pytest.importorskip("distributed", reason="needs the extra `cluster`")

from tests.support.dask_processes import DaskCluster, dask_cluster


@pytest.fixture(scope="session")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        cluster.start_worker()
        cluster.start_worker()
        yield cluster
