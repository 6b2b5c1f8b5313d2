"""What schemathesis needs to know of this API beyond its OpenAPI document."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_lines(ctx, value):
    """An import's rows, one a line."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    rows = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(row) for row in rows).encode()
