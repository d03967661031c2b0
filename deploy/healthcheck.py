"""Asks the web server of this container whether it is well; exits with 1 if not."""

import os
import sys
from urllib.parse import urlsplit
from urllib.request import Request, urlopen


def main(address: str = "http://127.0.0.1:8000/healthz") -> None:
    """The portal answers to its public name alone."""
    public_url = os.environ.get("PUBLIC_URL", "http://127.0.0.1:8000")
    question = Request(address, headers={"Host": urlsplit(public_url).netloc})  # noqa: S310  our own address
    try:
        urlopen(question, timeout=4).close()  # noqa: S310  see above
    except OSError as problem:
        sys.exit(f"{address}: {problem}")


if __name__ == "__main__":
    main(*sys.argv[1:])
