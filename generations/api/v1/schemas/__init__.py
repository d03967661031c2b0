"""Request and response bodies of /api/v1. Class names and fields are part of the OpenAPI document."""
