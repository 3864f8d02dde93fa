"""What the review room needs: decisions with a token, an order to look in, scanner and month of a place."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from alembic import op

from gadoscope.results.store.looks import look_order, read_points
from gadoscope.text import unescaped

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL = sa.Double().with_variant(sa.Float(), "sqlite")
ROWS_AT_ONCE = 5000
_SEEN = sa.text(
    "SELECT id, model_id, digest, volume_index, probability, n_slices_used, status, phase, agreement, "
    "warnings FROM answers WHERE id > :last AND volume_index = -1 ORDER BY id LIMIT :n"
)
_SET = sa.text("UPDATE answers SET look_order = :look_order WHERE id = :id")


def upgrade() -> None:
    """Add columns and their values, and make the table of reviews anew with what it holds."""
    op.add_column("series", sa.Column("scanner", sa.Text(), nullable=True))
    op.add_column("series", sa.Column("month", sa.Text(), nullable=True))
    op.add_column("answers", sa.Column("look_order", REAL, nullable=True))
    connection = op.get_bind()
    points = {
        number: read_points(unescaped(metadata))
        for number, metadata in connection.execute(sa.text("SELECT id, metadata FROM models"))
    }
    for rows in _iter_answers(connection):
        orders = [{"id": row["id"], "look_order": look_order(row, points[row["model_id"]])} for row in rows]
        connection.execute(_SET, orders)
    op.create_index(
        "answers_by_model_id_and_look_order",
        "answers",
        [
            *("model_id", "look_order", "id", "superseded_at", "digest", "study"),
            *("status", "phase", "agreement", "reason_code", "plane", "probability"),
        ],
    )
    op.create_index("answers_by_study_instance_uid", "answers", ["study_instance_uid"])
    op.create_index("series_by_study_and_digest", "series", ["study", "digest", "gone_at"])
    _make_reviews_anew(connection)


def _iter_answers(connection: sa.Connection) -> Iterator[Sequence[sa.RowMapping]]:
    last = 0
    while rows := connection.execute(_SEEN, {"last": last, "n": ROWS_AT_ONCE}).mappings().all():
        yield rows
        last = rows[-1]["id"]


def _make_reviews_anew(connection: sa.Connection) -> None:
    """Make the table; nothing of ours wrote into it so far, but somebody's own SQL may have."""
    held = connection.execute(
        sa.text("SELECT id, digest, model_id, verdict, note, reader, reviewed_at FROM reviews ORDER BY id")
    )
    rows = [{**row, "token": f"by-sql-{row['id']}", "is_blind": 0} for row in held.mappings()]
    op.drop_table("reviews")
    reviews = op.create_table(
        "reviews",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("model_id", NUMBER, sa.ForeignKey("models.id"), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("reviewed_at", sa.Text(), nullable=False),
        sa.Column("is_blind", NUMBER, nullable=False),
        sa.Column("withdraws", NUMBER, sa.ForeignKey("reviews.id"), nullable=True),
    )
    for row in rows:
        row.pop("id")  # numbered anew, in the same order: a sequence must not meet them later
    op.bulk_insert(reviews, rows)
    op.create_index("reviews_key", "reviews", ["token"], unique=True)
    op.create_index("reviews_by_digest_and_reader", "reviews", ["digest", "reader"])
    op.create_index("reviews_by_withdraws", "reviews", ["withdraws"])
