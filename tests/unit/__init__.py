"""One part at a time; the folders are those of `src/calsync` and `connectors`."""
