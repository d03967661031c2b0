"""HTTP APIs: the portal's own (v1) and compatible wire formats (compat); rate limits, idempotency keys."""
