"""How a reader process gets its memory: kept once it was freed, and in large pages.

Each page of a scan asks for the same arrays again, of megabytes. By default the C library gives each back to the kernel
when it is freed (mallopt(3), M_MMAP_THRESHOLD), and a new one comes in pieces of 4 kB that are cleared one by one.
"""

from __future__ import annotations

import ctypes

# malloc.h and asm-generic/mman-common.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_HUGE_PAGES = 14
_HUGE_PAGE = 2 << 20
"""Bytes, of x86-64. Where they are larger, none comes of it."""
_LARGEST = 32 << 20
"""Bytes that are still taken from what was kept: the most that the C library allows."""
_KEPT = 1 << 30
"""Bytes that are kept at most: those of a page of the largest."""
_PREPARED = 24 << 20
"""Bytes in large pages: what reading an A4 page of usual scans takes at a time."""


def keep_freed() -> None:
    """Have the processes that are forked from this one keep what they free; without glibc nothing is changed.

    What is prepared here costs this process nothing: it is memory only once it is written to.
    """
    c = ctypes.CDLL(None)
    if not hasattr(c, "mallopt"):
        return
    c.malloc.restype = ctypes.c_void_p
    c.malloc.argtypes, c.free.argtypes = (ctypes.c_size_t,), (ctypes.c_void_p,)
    c.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    c.mallopt(_MMAP_THRESHOLD, _LARGEST)
    c.mallopt(_TRIM_THRESHOLD, _KEPT)
    prepared = c.malloc(_PREPARED)
    if prepared is None:
        return
    first = -(-prepared // _HUGE_PAGE) * _HUGE_PAGE
    c.madvise(first, (prepared + _PREPARED - first) // _HUGE_PAGE * _HUGE_PAGE, _HUGE_PAGES)
    c.free(prepared)
