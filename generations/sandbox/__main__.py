"""`python -m generations.sandbox`: the sandbox without Django."""

from generations.sandbox.server import main

if __name__ == "__main__":
    main()
