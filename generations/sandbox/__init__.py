"""A stand-in for Stability's API: an HTTP server of its own that no other room imports.

    python -m generations.sandbox --port 8090 --key sandbox

It needs neither Django nor a database. What it promises about the wire is written down in
providers.md, sections 1, 2.1 and 2.3; what it draws is in `art`.
"""
