"""The first tables: models, runs, series, answers, reviews, suspects and scans."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL = sa.Double().with_variant(sa.Float(), "sqlite")


def upgrade() -> None:
    """Make them, with their indexes."""
    op.create_table(
        "models",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.Text(), nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("model_id", NUMBER, sa.ForeignKey("models.id"), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("begun", sa.Text(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("roots", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
    )
    op.create_table(
        "series",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("study", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=True),
        sa.Column("first_seen_run", NUMBER, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("last_seen_run", NUMBER, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("gone_at", sa.Text(), nullable=True),
    )
    op.create_table(
        "answers",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("study", sa.Text(), nullable=False),
        sa.Column("model_id", NUMBER, sa.ForeignKey("models.id"), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("volume_index", NUMBER, nullable=False),
        sa.Column("study_instance_uid", sa.Text(), nullable=True),
        sa.Column("series_instance_uid", sa.Text(), nullable=True),
        sa.Column("plane", sa.Text(), nullable=False),
        sa.Column("n_slices", NUMBER, nullable=False),
        sa.Column("n_slices_used", NUMBER, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("probability", REAL, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("header_state", sa.Text(), nullable=False),
        sa.Column("header_quote", sa.Text(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("logits", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.Text(), nullable=False),
        sa.Column("run_id", NUMBER, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("superseded_at", sa.Text(), nullable=True),
    )
    op.create_table(
        "reviews",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("model_id", NUMBER, sa.ForeignKey("models.id"), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("reviewed_at", sa.Text(), nullable=False),
    )
    op.create_table(
        "suspects",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("digest", sa.Text(), nullable=False),
    )
    op.create_table(
        "scans",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
    )
    op.create_index("models_key", "models", ["sha256"], unique=True)
    op.create_index("runs_key", "runs", ["token"], unique=True)
    op.create_index("runs_by_model_id_and_version", "runs", ["model_id", "version"])
    op.create_index("series_key", "series", ["digest", "study", "place"], unique=True)
    op.create_index("series_by_place", "series", ["place"])
    op.create_index("series_by_headers", "series", ["headers"])
    op.create_index(
        "answers_key",
        "answers",
        ["digest", "study", "model_id", "version", "volume_index"],
        unique=True,
    )
    op.create_index("answers_by_phase_and_agreement", "answers", ["phase", "agreement"])
    op.create_index("answers_by_reason_code", "answers", ["reason_code"])
    op.create_index("answers_by_model_id_and_version", "answers", ["model_id", "version"])
    op.create_index("answers_by_answered_at", "answers", ["answered_at"])
    op.create_index("answers_by_run_id", "answers", ["run_id"])
    op.create_index(
        "reviews_key",
        "reviews",
        ["digest", "model_id", "reader", "reviewed_at"],
        unique=True,
    )
    op.create_index("suspects_key", "suspects", ["digest"], unique=True)
    op.create_index("scans_key", "scans", ["digest"], unique=True)
