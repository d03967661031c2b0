"""The same verbs for programs: bearer tokens, wire formats, OpenAPI. Empty until its first endpoint."""
