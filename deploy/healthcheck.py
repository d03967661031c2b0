"""Health check of the web server in this container; exits with 1 if it fails."""

import os
import sys
from urllib.parse import urlsplit
from urllib.request import Request, urlopen


def main(address: str = "http://127.0.0.1:8000/healthz") -> None:
    """Request the address with the public host name, the only one that the portal answers to."""
    public_url = os.environ.get("PUBLIC_URL", "http://127.0.0.1:8000")
    request = Request(address, headers={"Host": urlsplit(public_url).netloc})  # noqa: S310  our own address
    try:
        urlopen(request, timeout=4).close()  # noqa: S310  see above
    except OSError as problem:
        sys.exit(f"{address}: {problem}")


if __name__ == "__main__":
    main(*sys.argv[1:])
