"""Memory of this process that nothing uses: malloc of glibc keeps much of it, for what may come next."""

import ctypes

_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Give it back to the system, where the C library can (malloc_trim(3)); other threads go on meanwhile."""
    if _malloc_trim is not None:
        _malloc_trim(0)
