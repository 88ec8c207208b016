#!/usr/bin/env bash
set -e
if [ -n "${ROS_DISTRO:-}" ]; then
  . "/opt/ros/${ROS_DISTRO}/setup.bash"
fi
. /cadsight/env.sh
exec "$@"
