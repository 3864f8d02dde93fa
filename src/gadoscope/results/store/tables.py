"""The tables of a store for SQLAlchemy, from their one description."""

import sqlalchemy as sa

from gadoscope.results.store.schema import TABLES, Column, Kind, Table, index_name

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # which numbers rows by itself as INTEGER only
_TYPES = {
    Kind.NUMBER: _NUMBER,
    Kind.REAL: sa.Double().with_variant(sa.Float(), "sqlite"),
    Kind.TEXT: sa.Text(),
    Kind.BYTES: sa.LargeBinary(),
}


def _make_table(table: Table, metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        table.name,
        metadata,
        sa.Column("id", _NUMBER, primary_key=True),
        *(_make_column(column) for column in table.columns),
        *(_make_index(table, columns) for columns in (table.unique, *table.indexes)),
    )


def _make_index(table: Table, columns: tuple[str, ...]) -> sa.Index:
    is_key = columns is table.unique
    beside = {"postgresql_include": list(table.beside)} if is_key and table.beside else {}
    return sa.Index(index_name(table, columns), *columns, unique=is_key, **beside)


def _make_column(column: Column) -> sa.Column:
    key = [sa.ForeignKey(f"{column.of}.id")] if column.of else []
    return sa.Column(column.name, _TYPES[column.kind], *key, nullable=column.optional)


METADATA = sa.MetaData()
MODELS, RUNS, SERIES, ANSWERS, REVIEWS, *_ = (_make_table(table, METADATA) for table in TABLES)
