"""What the server process that readers are forked from imports, and nothing else does.

Importing it is meant to do something: a supervisor or a shell that ends the whole process group must not take this
process away while the service still ends its work in order. It ends with the service, when their pipe closes.
"""

import gc
import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pickle import UnpicklingError
from types import TracebackType

# Before numpy: as many readers are at work as there are cores, and each of them is one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy.ma
from PIL import Image

from skrynka.readers import entry, tasks
from skrynka.readers.confinement import libraries, shut_memory
from skrynka.readers.looking import QUICK_DPI
from skrynka.readers.memory import keep_freed
from skrynka.steps import marks

# Libraries import some of it when they are first used: in each reader anew, and longer than it takes to read a page.
__all__ = ["Image", "entry", "json", "numpy", "tasks"]

Image.preinit()
# It starts a program to find libzbar. Without that library, pages that need no second opinion are read all the same.
with suppress(ImportError):
    import_module("pyzbar.pyzbar")
# The same of what is drawn.
marks.draw_ahead(QUICK_DPI)

signal.signal(signal.SIGTERM, signal.SIG_IGN)
libraries()
# Who could write into this process's memory would be every reader to come, before it confines itself.
shut_memory()


def _uncaught(kind: type[BaseException], exception: BaseException, traceback: TracebackType | None) -> None:
    """Say nothing of an order that broke off: the service was killed while it gave it, and nobody waits for a reader.

    Here, for readers are forked: before they have their order nothing of ours is called in them.
    """
    if not issubclass(kind, EOFError | UnpicklingError):
        sys.__excepthook__(kind, exception, traceback)


sys.excepthook = _uncaught
keep_freed()
# What there is now is there for good: readers needn't look through it for garbage, which would copy its memory.
gc.collect()
gc.freeze()
