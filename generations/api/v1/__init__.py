"""The portal's own API, /api/v1: the verbs of all rooms as JSON."""
