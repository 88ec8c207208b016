#!/usr/bin/env bash
# Compiles the pins of every Python from 3.10 to 3.13: constraints.txt for the ROS wheels, constraints-ros.txt for an
# installed ROS 2 whose extensions were built with NumPy 1.26, as on Ubuntu 24.04. Pins that still fit are kept;
# `make constraints UPGRADE=--upgrade` looks for newer ones.
set -euo pipefail
cd "$(dirname "$0")/.."

groups=(core cell learning bags build dev)
common=(pyproject.toml --overrides overrides.txt --no-header --no-annotate --quiet ${UPGRADE:-})

.venv/bin/uv pip compile "${common[@]}" "${groups[@]/#/--group=}" --group=rosidl \
  --universal --python-version 3.10 --output-file constraints.txt
.venv/bin/uv pip compile "${common[@]}" "${groups[@]/#/--group=}" \
  --constraints <(echo "numpy==1.26.4") --universal --python-version 3.10 --output-file constraints-ros.txt
