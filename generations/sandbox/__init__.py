"""A stand-in for Stability's API: an HTTP server of its own that no other room imports.

    python -m generations.sandbox --port 8090 --key sandbox

It needs neither Django nor a database. What it promises about the wire is written down in
docs/providers/stability.md, "Request headers", "Fields", "Image input", "Answers", "Statuses",
"Rate limit", "v1 text to image" and "Balance and account"; what it draws is in `art`.
"""
