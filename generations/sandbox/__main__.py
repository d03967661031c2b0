"""`python -m generations.sandbox`: run the sandbox provider without Django."""

from generations.sandbox.server import main

if __name__ == "__main__":
    main()
