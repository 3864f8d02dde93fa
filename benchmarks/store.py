"""Answers of an archive put into a store and asked of it, in SQLite and in PostgreSQL.

Rows are made up: one in a hundred is post-contrast where its header says otherwise. PostgreSQL is one of this
program's own, on loopback; where the server is not installed its figures are left out.
"""

import argparse
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import pytest
import sqlalchemy as sa

from benchmarks.table import Row, begin_parser, finish
from gadoscope.labels import KeptResult, Phase, Plane, Status
from gadoscope.results.store.address import parse_address
from gadoscope.results.store.store import Store
from gadoscope.results.store.tables import ANSWERS, SERIES
from tests.support.postgresql import run_server

UPSERT_S = {"SQLite": 2.0, "PostgreSQL": 3.0}
"""Asked for 10,000 answers: a run of an hour may not wait for its store."""
QUERY_S = 0.2
"""Asked for a query by phase and agreement: who looks at it does not notice."""
DOUBLINGS = 7
"""From some answers that a run wrote to the many that are asked: to write all would take minutes."""
CONFLICTS = 100
"""One row in so many is what the query asks for."""
MODEL = KeptResult(
    path="",
    study_instance_uid="1.2.826.0.1.3680043.8.498.1",
    series_instance_uid="1.2.826.0.1.3680043.8.498.2",
    plane=Plane.AXIAL,
    n_slices=176,
    n_slices_used=5,
    status=Status.ANSWERED,
    phase=Phase.PRE_CONTRAST,
    probability=0.0123456789,
    header_state="administered",
    header_quote='SeriesDescription="T1 MPRAGE"',
    agreement="silent",
    model="made-up@00000000",
    logits=(1.25, -2.5, 3.75, -4.5, 5.25),
)


def iter_answers(n: int) -> Iterator[tuple[str, KeptResult]]:
    """Yield digests and rows of an archive."""
    generator = random.Random(0)  # noqa: S311 — made up
    for index in range(n):
        digest = f"{generator.getrandbits(256):064x}"
        row = replace(MODEL, path=f"/archive/study-{index // 5:07}/series-{index % 5}/i0001.dcm")
        if index % CONFLICTS == 0:
            row = replace(row, phase=Phase.POST_CONTRAST, agreement="conflict")
        yield digest, row


def fill(url: str, n: int) -> float:
    """Return how long a run of ``n`` answers takes in its store, in seconds: made, written, closed."""
    answers = list(iter_answers(n))
    began = perf_counter()
    with Store(url) as store:
        store.begin(model="00" * 32, version="0/0/words", name=MODEL.model)
        for digest, row in answers:
            store.add(digest, [row])
            store.settle(digest, [row], "")
        store.finish()
    return perf_counter() - began


def fill_much(url: str, n: int) -> int:
    """Fill a store and double it a few times within the database; return how many answers it has."""
    n_begun = n // 2**DOUBLINGS
    fill(url, n_begun)
    engine = sa.create_engine(parse_address(url).url)
    with engine.begin() as connection:
        for place in range(1, DOUBLINGS + 1):
            for table, keys in ((ANSWERS, ("digest",)), (SERIES, ("digest", "place"))):
                others = [column.name for column in table.columns if column.name not in ("id", *keys)]
                # Digests have no g: each doubling writes one where no other did.
                marked = [
                    f"substr({key}, 1, {place - 1}) || 'g' || substr({key}, {place + 1})" for key in keys
                ]
                connection.exec_driver_sql(
                    f"INSERT INTO {table.name} ({', '.join((*keys, *others))}) "  # noqa: S608 — names of ours
                    f"SELECT {', '.join((*marked, *others))} FROM {table.name}"
                )
    if engine.dialect.name == "postgresql":  # which does it by itself within minutes
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE, PARALLEL 0)")  # a container may share no memory
    engine.dispose()
    return int(n_begun * 2**DOUBLINGS)


def ask(url: str) -> tuple[float, float, int]:
    """Return how long a query by phase and agreement takes: counted, and all its rows, and how many."""
    store = Store(url)
    times = []
    for question in (store.count, lambda **asked: sum(1 for _ in store.rows(**asked))):
        question(phase="POST_CONTRAST", agreement="conflict")  # what the system has in memory is the same
        began = perf_counter()
        n_rows = question(phase="POST_CONTRAST", agreement="conflict")
        times.append(perf_counter() - began)
    return times[0], times[1], n_rows


def measure(kind: str, few: str, many: str, n_few: int, n_many: int) -> Iterator[Row]:
    """Yield the rows of one kind of database."""
    took = min(fill(few.format(number), n_few) for number in (1, 2, 3))
    limit = UPSERT_S[kind]
    yield Row(f"{n_few:,} answers upserted, {kind}", f"under {limit:g} s", f"{took:.2f} s", took < limit)
    n_many = fill_much(many, n_many)
    counted, listed, n_rows = ask(many)
    title = f"a query by phase and agreement over {n_many:,} rows, {kind}"
    yield Row(
        f"{title}: counted", f"under {QUERY_S * 1000:.0f} ms", f"{counted * 1000:.0f} ms", counted < QUERY_S
    )
    yield Row(
        f"{title}: its {n_rows:,} rows",
        f"under {QUERY_S * 1000:.0f} ms",
        f"{listed * 1000:.0f} ms",
        listed < QUERY_S,
    )


def main(arguments: argparse.Namespace) -> None:
    """Measure what the options ask for."""
    rows: list[Row] = []
    sizes = (arguments.answers, arguments.rows_asked)
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        rows += measure("SQLite", f"sqlite:///{folder}/few{{}}.db", f"sqlite:///{folder}/many.db", *sizes)
        try:
            server = stack.enter_context(run_server(is_safe=True))
        except pytest.skip.Exception as missing:
            print(f"PostgreSQL is left out: {missing}")
        else:
            for database in ("few1", "few2", "few3", "many"):
                server.make_database(database)
            rows += measure("PostgreSQL", server.url("few{}"), server.url("many"), *sizes)
    finish(rows, arguments.rows)


if __name__ == "__main__":
    parser = begin_parser(__doc__)
    parser.add_argument("--answers", type=int, default=10_000, help="of a run that is timed")
    parser.add_argument("--rows-asked", type=int, default=1_000_000, help="in the store that is asked")
    main(parser.parse_args())
