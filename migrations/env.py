"""Alembic's entry: one connection, handed in by `grainline.entry.migrate`, one transaction for all."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="schema_version")
with context.begin_transaction():
    context.run_migrations()
