# Shared by the commands in this folder, which source it.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

# Home Assistant is large: without Python's cache of compiled files every start takes
# seconds more. It is git-ignored, so it can be wanted here even where it is not elsewhere.
unset PYTHONDONTWRITEBYTECODE

say() { printf '==> %s\n' "$*"; }

# die MESSAGE [HINT...]: what went wrong, then what to do about it, a line each.
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '       %s\n' "$@" >&2
  exit 1
}

# usage: the comment at the head of the command is its help.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$0"; }

# wait_for_our_turn LOCK COMMAND: two that write to one folder must not undo each other's work.
wait_for_our_turn() {
  mkdir -p "$(dirname "$1")"
  command -v flock >/dev/null || return 0
  exec 9>"$1"
  flock --nonblock 9 && return
  say "Waiting for another $2 to finish"
  flock 9
}
