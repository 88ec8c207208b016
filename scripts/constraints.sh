#!/usr/bin/env bash
# Compiles the pins of every Python from 3.10 to 3.13. Pins that still fit are kept; `make constraints UPGRADE=--upgrade`
# looks for newer ones.
set -euo pipefail
cd "$(dirname "$0")/.."

groups=(core synthesis cell learning inference bags build dev rosidl)
.venv/bin/uv pip compile pyproject.toml "${groups[@]/#/--group=}" --overrides overrides.txt \
  --universal --python-version 3.10 --no-header --no-annotate --quiet ${UPGRADE:-} --output-file constraints.txt

# Blender's environment has a Python and pins of its own.
.venv/bin/uv pip compile --group=blender --python-version 3.11 --no-header --no-annotate --quiet ${UPGRADE:-} \
  --output-file constraints-blender.txt

# datumaro's too, for the Python that runs us.
.venv/bin/uv pip compile --group=datumaro --universal --python-version 3.10 --no-header --no-annotate --quiet \
  ${UPGRADE:-} --output-file constraints-datumaro.txt
