import sys

from cadsight_cli.main import main

sys.exit(main())
