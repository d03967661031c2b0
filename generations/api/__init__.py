"""The same verbs for programs: bearer tokens, limits, idempotency, wire formats, OpenAPI."""
