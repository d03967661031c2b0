"""The portal's own API, /api/v1: JSON, authenticated by API tokens."""
