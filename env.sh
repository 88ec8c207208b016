# Sourced by bash or zsh: the workspace's Python, ROS 2 (a sourced installation, or else the wheels), our packages, and
# the transport and rendering settings that the nodes need. Sourcing it twice changes nothing.
if [ -n "${BASH_VERSION:-}" ]; then
  _cadsight_root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
elif [ -n "${ZSH_VERSION:-}" ]; then
  _cadsight_root="${${(%):-%x}:A:h}"
else
  echo "cadsight: env.sh is for bash and zsh; use bin/cadsight from other shells" >&2
  return 1
fi

if [ ! -x "$_cadsight_root/.venv/bin/python" ]; then
  echo "cadsight: $_cadsight_root/.venv is missing; run: make -C $_cadsight_root setup" >&2
  unset _cadsight_root
  return 1
fi

_cadsight_prepend() { # VARIABLE FOLDER
  eval "_cadsight_value=\"\${$1:-}\""
  case ":$_cadsight_value:" in
    *":$2:"*) ;;
    *) eval "export $1=\"$2\${$1:+:\$$1}\"" ;;
  esac
  unset _cadsight_value
}

export CADSIGHT_ROOT="$_cadsight_root"
export VIRTUAL_ENV="$_cadsight_root/.venv"
_cadsight_prepend PATH "$VIRTUAL_ENV/bin"
if [ -d "$VIRTUAL_ENV/share/rclpy" ]; then
  # ROS from wheels, with the few interface packages that no wheel brings in a prefix of their own.
  for _cadsight_prefix in "$VIRTUAL_ENV" "$VIRTUAL_ENV/compat"; do
    if [ -d "$_cadsight_prefix/share" ]; then
      _cadsight_prepend AMENT_PREFIX_PATH "$_cadsight_prefix"
      _cadsight_prepend CMAKE_PREFIX_PATH "$_cadsight_prefix"
    fi
  done
  for _cadsight_prefix in "$VIRTUAL_ENV"/compat/lib/python3*/site-packages; do
    if [ -d "$_cadsight_prefix" ]; then
      _cadsight_prepend PYTHONPATH "$_cadsight_prefix"
      _cadsight_prepend LD_LIBRARY_PATH "$VIRTUAL_ENV/compat/lib"
    fi
  done
  _cadsight_prepend LD_LIBRARY_PATH "$VIRTUAL_ENV/lib"
elif ls -d "$VIRTUAL_ENV"/compat/share/*_msgs >/dev/null 2>&1 && [ -f "$VIRTUAL_ENV/compat/local_setup.bash" ]; then
  # A ROS installation that lacks some of them.
  _cadsight_shell="${ZSH_VERSION:+zsh}"
  . "$VIRTUAL_ENV/compat/local_setup.${_cadsight_shell:-bash}"
fi
if [ -f "$_cadsight_root/install/local_setup.bash" ]; then
  _cadsight_shell="${ZSH_VERSION:+zsh}"
  . "$_cadsight_root/install/local_setup.${_cadsight_shell:-bash}"
fi

# Images of a megabyte and more: shared memory for the transport, and a malloc that does not hand pages back each time.
export FASTDDS_DEFAULT_PROFILES_FILE="${FASTDDS_DEFAULT_PROFILES_FILE:-$_cadsight_root/config/fastdds.xml}"
export MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-268435456}"
export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-536870912}"
# Threads of OpenMP, OpenBLAS and OpenCV sleep while they wait, also in programs that are not ours (a Dask worker);
# the same as cadsight_core/running/threads.py, and what is set of a line stays.
if [ -z "${OMP_WAIT_POLICY:-}${GOMP_SPINCOUNT:-}${KMP_BLOCKTIME:-}" ]; then
  export OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=0 KMP_BLOCKTIME=0
fi
export OPENBLAS_THREAD_TIMEOUT="${OPENBLAS_THREAD_TIMEOUT:-4}"
if [ -z "${OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER:-}${OPENCV_THREAD_POOL_ACTIVE_WAIT_MAIN:-}" ]; then
  export OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER=0 OPENCV_THREAD_POOL_ACTIVE_WAIT_MAIN=0
fi
# Nodes of this machine only, unless the user says otherwise.
export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
# Images without a display, models without a download.
export MUJOCO_GL="${MUJOCO_GL:-egl}"
export PYOPENGL_PLATFORM="${PYOPENGL_PLATFORM:-egl}"
export YOLO_OFFLINE="${YOLO_OFFLINE:-true}"
export YOLO_AUTOINSTALL="${YOLO_AUTOINSTALL:-false}"

# TAB completes the command's words, where somebody types.
case "$-" in
  *i*)
    if [ -n "${BASH_VERSION:-}" ] || command -v compdef >/dev/null 2>&1; then
      [ ! -f "$VIRTUAL_ENV/share/cadsight-completion.sh" ] || . "$VIRTUAL_ENV/share/cadsight-completion.sh"
    fi
    ;;
esac

unset -f _cadsight_prepend
unset _cadsight_root _cadsight_prefix _cadsight_shell
