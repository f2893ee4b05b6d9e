"""``python -m deltasql``: the command."""

import sys

from deltasql.cli import main

if __name__ == "__main__":
    sys.exit(main())
