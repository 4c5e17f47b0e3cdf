"""The one developer command: ``python3 build.py`` lists what it can do. Needs nothing but Python 3.11."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said in words to whoever has an older one
    sys.exit("Handheld's build needs Python 3.11: run `python3.11 build.py ...`")

from tools.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
