# Shared by the scripts: words for people, and where things are. Sourced by bash.

DENO_VERSION=2.9.6
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
STARTED_S=$SECONDS

say() { printf '[%4ds] %s\n' "$((SECONDS - STARTED_S))" "$*"; }

fail() {
  printf 'Cannot %s\n' "$*" >&2
  exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

# Programs of servers are often not on an unprivileged PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Environment that changes what deno, fetch or npm do (platform traps): never wanted here.
unset HTTP_PROXY http_proxy DENO_V8_FLAGS NODE_OPTIONS DENO_COMPAT RUST_BACKTRACE COMPLETE

# The folder with the programs of the newest installed PostgreSQL, or nothing.
postgres_bin() {
  local newest
  newest=$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -n 1)
  if [ -n "$newest" ]; then dirname "$newest"; return; fi
  newest=$(command -v postgres) || return 0
  dirname "$(readlink -f "$newest")"
}

# Where this user keeps what the scripts install without the package manager.
tools_dir() {
  if [ -n "${XDG_DATA_HOME:-}" ]; then echo "$XDG_DATA_HOME/agent-tools"
  elif [ -n "${HOME:-}" ] && [ -w "$HOME" ]; then echo "$HOME/.local/share/agent-tools"
  else echo "/var/tmp/agent-tools-$(id -u)"; fi
}
