"""The sandbox provider: an HTTP server with Stability's API. No other package imports it.

    python -m generations.sandbox --port 8090 --key sandbox

It needs neither Django nor a database. Its API follows docs/providers/stability.md, "Request headers",
"Fields", "Image input", "Answers", "Statuses", "Rate limit", "v1 text to image" and "Balance and account".
`stability` has the wire format, `art` draws the images, the rest serves any system.
"""
