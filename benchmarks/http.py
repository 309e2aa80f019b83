"""What a session costs in an HTTP client: added time per request beside the bare library, and the way to the first answer from inside.

- `added per request`: the processor's time for requests to a server in another process, ten cookies and a token in the session, beside the bare
  library with the same headers. The goal is at most 60 µs.
- `1 ms server`: requests per second where the server takes a millisecond. The goal is a ratio of at least 0.97.
- `first authorised response`: a fresh process with a saved session, beside logging in anew in a browser, and beside requests with a pickle of
  its cookies in clear.

The measuring is in `_http_clients.py`. This file has the name of a package of Python's own, which programs of this folder import:
for them it stands aside.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import sysconfig
from pathlib import Path

if __name__ == "__main__":
    here = str(Path(__file__).resolve().parent)
    sys.path = [*(entry for entry in sys.path if str(Path(entry).resolve()) != here), here]  # last: Python's own `http` comes before this one

    from _http_clients import main

    main(sys.argv[1:])
else:
    spec = importlib.machinery.PathFinder.find_spec(__name__, [sysconfig.get_path("stdlib")])
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(__name__)
    sys.modules[__name__] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
