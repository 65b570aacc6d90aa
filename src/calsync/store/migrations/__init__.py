"""The steps from one release's tables to the next's, run by Alembic under `calsync.store.upgrade`."""
