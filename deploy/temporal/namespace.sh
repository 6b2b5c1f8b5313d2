#!/bin/sh
# Makes the namespace where it is absent, and brings its retention up to date. Safe to repeat.
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE are read by the command itself.
set -eu

if temporal operator namespace describe > /dev/null 2>&1; then
  temporal operator namespace update --retention "$NAMESPACE_RETENTION"
else
  temporal operator namespace create --retention "$NAMESPACE_RETENTION" \
    --description 'Loyalty redemptions and payments'
fi

# The server looks for new namespaces now and then: this ends once it knows this one.
attempt=0
until temporal operator search-attribute list > /dev/null 2>&1; do
  attempt=$((attempt + 1))
  [ "$attempt" -lt 60 ]
  sleep 0.5
done
