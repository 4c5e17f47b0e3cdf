#!/bin/bash
# A real Blender window on a virtual display, in a Debian tree of its own (as root, on Debian or Ubuntu).
#   blender_window.sh make TREE [SUITE]            SUITE: trixie (Blender 4.3), sid (the newest); about 1.4 GB
#   blender_window.sh run TREE WORK SECONDS ARGS   "blender ARGS" with WORK as /session and the repository as /repository
set -eu

make_tree() {
  local tree=$1 suite=${2:-trixie}
  command -v mmdebstrap >/dev/null || { echo "Install mmdebstrap first: apt-get install mmdebstrap" >&2; exit 1; }
  # the mirror that this machine's apt uses already
  local mirror
  mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources | head -n 1 | cut -d' ' -f1)
  mmdebstrap --quiet --mode=root --variant=minbase \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --include=ca-certificates,blender,xvfb,xauth,libgl1-mesa-dri,libegl-mesa0,libglx-mesa0,scrot,xdotool \
    --include=python3-numpy,python3-requests,python3-zstandard,python3-cattr \
    "$suite" "$tree" "$mirror"
}

# Runs in a mount namespace of its own, so that nothing stays mounted.
run_blender() {
  local tree=$1 work=$2 repository=$3 seconds=$4
  shift 4
  mkdir -p "$tree/session" "$tree/repository"
  mount --bind /proc "$tree/proc"
  mount --bind /dev "$tree/dev"
  mount --bind "$work" "$tree/session"
  mount --bind -o ro "$repository" "$tree/repository"
  # what the repository's own Python stands on, for scripts that run the real solver
  local python=$repository/.venv/bin/python
  if [ -x "$python" ]; then
    local base; base=$("$python" -c 'import sys; print(sys.base_prefix)')
    mkdir -p "$tree$base"
    mount --bind -o ro "$base" "$tree$base"
  fi
  local inside=(chroot "$tree" env -i PATH=/usr/bin:/bin LANG=C.UTF-8 HOME=/session/home XDG_RUNTIME_DIR=/tmp
    LIBGL_ALWAYS_SOFTWARE=1 MESA_SHADER_CACHE_DIR=/session/shaders BLENDER_USER_RESOURCES=/session/home/blender
    PYTHONDONTWRITEBYTECODE=1)
  rm -f "$work/display"
  "${inside[@]}" sh -c 'exec Xvfb -displayfd 3 -screen 0 1600x1000x24 +extension GLX -noreset 3>/session/display 2>/session/xvfb.log' &
  local server=$!
  for _ in $(seq 100); do [ -s "$work/display" ] && break; sleep 0.1; done
  local status=0
  timeout -k 5 "$seconds" "${inside[@]}" DISPLAY=":$(cat "$work/display")" blender "$@" || status=$?
  kill "$server"
  wait "$server" 2>/dev/null || true
  return "$status"
}

case ${1:-} in
make) make_tree "${@:2}" ;;
run)
  repository=$(cd "$(dirname "$0")/../.." && pwd)
  mkdir -p "$3/home"
  export -f run_blender
  exec unshare -m bash -euc 'run_blender "$@"' _ "$2" "$3" "$repository" "${@:4}"
  ;;
*) sed -n '2,4s/^# *//p' "$0"; exit 2 ;;
esac
