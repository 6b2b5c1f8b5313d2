#!/bin/sh
# Brings both of the Temporal server's databases to the schema that this version of its tool holds.
# Safe to repeat: what is there is left alone. Where to connect, and as whom, is in SQL_*.
set -eu

for database in temporal temporal_visibility; do
  case "$database" in
    temporal) schema=postgresql/v12/temporal ;;
    *) schema=postgresql/v12/visibility ;;
  esac
  temporal-sql-tool --database "$database" setup-schema --version 0.0
  temporal-sql-tool --database "$database" update-schema --schema-name "$schema"
done
