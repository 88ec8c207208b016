#!/usr/bin/env bash
# Everything that has to hold before a change lands: the quick checks first, then the tests of the packages, then those
# of the whole system, with the coverage of all of them. The last line is pytest's own.
set -euo pipefail
cd "$(dirname "$0")/.."
set +u
. ./env.sh
set -u

# A cached answer is of the files as they stood: whose modules are ours depends on the other files too.
ruff check --no-cache .
mypy

# Tests of one machine at the same time must not hear each other, nor a cell that is running.
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
export ROS_DOMAIN_ID="${CADSIGHT_TEST_DOMAIN:-77}"
export COVERAGE_FILE="$PWD/.coverage"
export COVERAGE_RCFILE="$PWD/pyproject.toml"
exec python -m pytest --cov --cov-report=term --durations=10 "$@"
