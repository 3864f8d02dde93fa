"""What Alembic runs: the migrations, in the transaction of whoever opens a store."""

from alembic import context

from gadoscope.results.store.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
