#!/bin/sh
# agent @VERSION@: high availability for PostgreSQL, as one file. This head unpacks what follows it, once, into a
# private folder and then becomes that program (README, "Install"). Its own exit codes: 70 the file is damaged,
# 71 this host cannot run it, 73 there is no place to unpack it.

# A member that is about to run reads its file yet: a wish to reload it must not end it. The agent hears HUP later.
case ${1-} in -*) ;; '' | *[./]*) trap '' HUP ;; esac

# Before anything else is done, because a shell runs what it has read of a file that is cut off. While somebody copies it, wait.
total=@TOTAL@
for look in 1 2 3 late; do
  [ "$(wc -c <"$0")" != "$total" ] || break
  [ $look != late ] || {
    echo "agent: the file $0 is damaged: it has not $total bytes. Install agent @VERSION@ again." >&2
    exit 70
  }
  sleep 1
done
[ "$look" = 1 ] || exec /bin/sh "$0" "$@"

machine=@MACHINE@
runtime=rt-@RUNTIME_KEY@ runtime_packed=@RUNTIME_PACKED@ runtime_bytes=@RUNTIME_BYTES@
program=js-@PROGRAM_KEY@ program_packed=@PROGRAM_PACKED@ program_bytes=@PROGRAM_BYTES@
map_packed=@MAP_PACKED@

end() {
  code=$1 && shift
  printf 'agent: %s\n' "$@" >&2
  exit "$code"
}

# True for a folder that nobody but this user and root can change or move; makes it when it is missing.
trusted() {
  case $1 in /*) ;; *) why="not an absolute path" && return 1 ;; esac
  if [ ! -d "$1" ]; then why=$(umask 077 && mkdir -p "$1" 2>&1) || return 1; fi
  if [ -L "$1" ] || [ ! -O "$1" ]; then why="not a folder of user $uid" && return 1; fi
  step=$(cd "$1" && pwd -P) || return 1
  set -- "$step"
  while [ "$step" != "" ]; do step=${step%/*} && set -- "$@" "${step:-/}"; done
  seen=$(stat -c '%u %A' "$@") || return 1
  root=${seen% *} root=${root##*[!0-9]} # the owner of "/": in a container root may have another number
  why="another user may change it or a folder above it"
  # shellcheck disable=SC2086 # pairs of words
  set -- $seen
  case $2 in d????-??-?) shift 2 ;; *) return 1 ;; esac
  while [ $# -gt 0 ]; do
    case $1 in "$uid" | "$root") ;; *) return 1 ;; esac
    case $2 in d????-??-? | d????????[tT]) shift 2 ;; *) return 1 ;; esac
  done
}

# True when the folder holds both parts whole. A file on a noexec mount is not executable.
ready() {
  [ -x "$1/$runtime/agent" ] &&
    [ "$(stat -c %s "$1/$runtime/agent" "$1/$program/agent.js" 2>&1 | tr '\n' ' ')" = \
      "$runtime_bytes $program_bytes " ]
}

part() { tail -c "$1" "$0" | head -c "$2"; }

# Writes one part: file, its distance from the end, packed size, hash, packed hash.
put() {
  said=$({ part "$2" "$3" | gzip -dc >"$1"; } 2>&1)
  if [ "$(sha256sum <"$1")" = "$4  -" ]; then
    # Else a power cut could leave an empty file under the final name.
    sync "$1" 2>/dev/null || sync
    return
  fi
  [ "$(part "$2" "$3" | sha256sum)" = "$5  -" ] || exit 70
  echo "${said:-it could not be written whole}" && exit 73
}

# Moves a part to its final name; whoever started at the same time may have been first.
place() {
  if mv -T "$new/$2" "$1/$2" 2>/dev/null || ready "$1"; then return; fi
  mv -T "$1/$2" "$new/broken-$2" 2>/dev/null
  mv -T "$new/$2" "$1/$2" 2>/dev/null || [ -d "$1/$2" ]
}

# Runs in a process of its own; says on its output why it failed.
unpack() {
  umask 077
  new=$(mktemp -d "$1/.new.XXXXXX" 2>&1) || { echo "$new" && exit 73; }
  trap 'rm -rf "$new"' EXIT
  echo '#!/bin/sh' | cat >"$new/try" 2>"$new/said" || { cat "$new/said" && exit 73; }
  chmod 700 "$new/try"
  "$new/try" 2>/dev/null || { echo "no program may be run there (noexec)" && exit 73; }
  mkdir "$new/$runtime" "$new/$program" || exit 73
  put "$new/$runtime/agent" $((map_packed + program_packed + runtime_packed)) "$runtime_packed" \
    @RUNTIME_HASH@ @RUNTIME_PACKED_HASH@
  put "$new/$program/agent.js" $((map_packed + program_packed)) "$program_packed" \
    @PROGRAM_HASH@ @PROGRAM_PACKED_HASH@
  put "$new/$program/agent.js.map" "$map_packed" "$map_packed" @MAP_HASH@ @MAP_PACKED_HASH@
  chmod 700 "$new/$runtime/agent"
  said=$("$new/$runtime/agent" --version 2>&1) || { echo "$said" && exit 71; }
  place "$1" "$runtime" && place "$1" "$program" && ready "$1" || { echo "cannot rename" && exit 73; }
  # Older versions may still be in use by another installation: they stay for a day.
  find "$1" -mindepth 1 -maxdepth 1 -mtime +0 \( -name 'rt-*' -o -name 'js-*' -o -name '.new.*' \) \
    ! -name "$runtime" ! -name "$program" -exec rm -rf {} + 2>/dev/null
  exit 0
}

# The first of these folders that can be used; unpacks there unless it was done before.
choose() {
  for folder; do
    if ! trusted "$folder"; then tried="$tried$newline  $folder: $why" && continue; fi
    if ready "$folder"; then return; fi
    said=$(unpack "$folder" 2>&1)
    case $? in
    0) fresh=yes && return ;;
    70) end 70 "the file $0 is damaged: its content has another hash. Install agent @VERSION@ again." ;;
    71) end 71 "this host cannot run agent @VERSION@: $said" ;;
    *) tried="$tried$newline  $folder: $said" ;;
    esac
  done
  return 1
}

newline='
'
tried= fresh=
[ "$(uname -m)" = "$machine" ] || end 71 "this host is $(uname -m), agent @VERSION@ is for $machine"
uid=$(id -u)
if [ -n "${AGENT_RUNTIME_DIR-}" ]; then
  choose "$AGENT_RUNTIME_DIR"
else
  site=/var/cache/agent && [ -d $site ] || site=
  cache=${XDG_CACHE_HOME-}
  if [ -z "$cache" ] && [ -d "${HOME:-/nonexistent}" ]; then cache=$HOME/.cache; fi
  choose ${site:+"$site"} ${cache:+"$cache/agent"} "/var/tmp/agent-$uid" "${TMPDIR:-/tmp}/agent-$uid"
fi || end 73 "no place to unpack agent @VERSION@ ($((runtime_bytes / 1000000 + 5)) MB). Tried:$tried" \
  "Name a folder of this user in AGENT_RUNTIME_DIR, with space, on a mount where programs may run."

# These change what the runtime does. The agent gives them back to the programs that it starts.
for name in HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy RUST_BACKTRACE RUST_LOG \
  COMPLETE NODE_OPTIONS NODE_DEBUG NODE_CHANNEL_FD NODE_V8_COVERAGE SSLKEYLOGFILE \
  OTEL_DENO DENO_DIR DENO_V8_FLAGS DENO_COMPAT DENO_SERVE_ADDRESS DENO_COVERAGE_DIR \
  DENO_TRACE_PERMISSIONS DENO_NO_UPDATE_CHECK DENO_NO_PACKAGE_JSON DENO_TLS_CA_STORE; do
  eval "[ -n \"\${$name+set}\" ] && export AGENT_KEEP_$name=\"\$$name\" && unset $name"
done
export DENO_DIR="$folder/$program/cache" DENO_NO_UPDATE_CHECK=1 DENO_NO_PACKAGE_JSON=1
export DENO_TLS_CA_STORE=system,mozilla

# A first run compiles everything and keeps that for later ones, with twice their memory: let it be a short one.
[ -z "$fresh" ] || "$folder/$runtime/agent" @WORDS@ --version >/dev/null 2>&1 </dev/null
set -- "$folder/$runtime/agent" @WORDS@ "$@"
# USR1 would open the inspector of the runtime, and with it the agent, to every user of this host.
if env --block-signal=USR1 true 2>/dev/null; then exec env --block-signal=USR1 "$@"; fi
# shellcheck disable=SC2016 # perl's variables
if perl -MPOSIX -e 1 2>/dev/null; then
  exec perl -MPOSIX -e 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1)); exec { $ARGV[0] } @ARGV' "$@"
fi
echo "agent: cannot block USR1 (coreutils 8.31 or perl is needed): send it to this process never" >&2
exec "$@"
