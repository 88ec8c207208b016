#!/usr/bin/env bash
# Everything that has to hold before a change lands: the quick checks first, then the tests of the packages and those of
# the whole system side by side. The last line is pytest's own.
set -euo pipefail
cd "$(dirname "$0")/.."
set +u
. ./env.sh
set -u

# A cached answer is of the files as they stood: whose modules are ours depends on the other files too.
ruff check --no-cache .
mypy

# Where `make coverage` finds them from wherever a test goes.
export COVERAGE_FILE="$PWD/.coverage"
export COVERAGE_RCFILE="$PWD/pyproject.toml"

# Three workers for two cores, each with its ROS domain (conftest.py): a test of an arm waits for it a third of its time.
# Each may need 3 GB with what it starts, and beyond four the longest file is what takes the time.
cores=$(nproc)
workers=$(((3 * cores + 1) / 2))
fit=$(($(awk '/^MemAvailable/ {print $2}' /proc/meminfo) / 3000000))
workers=$((fit < workers ? (fit > 1 ? fit : 1) : workers))
workers="${CADSIGHT_TEST_WORKERS:-$((workers < 4 ? workers : 4))}"
# The workers have the cores: more threads below them would only take them from each other.
each=$((workers > 0 ? cores / workers : cores))
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((each > 0 ? each : 1))}"

# A file's tests share what its fixtures have made, so a file goes to one worker as a whole.
exec python -m pytest -n "$workers" --dist loadscope --no-loadscope-reorder --durations=10 "$@"
