# Installs packages of Debian and Ubuntu without letting a service of theirs start, and without
# touching one that runs. Needs common.sh.

POLICY=/usr/sbin/policy-rc.d
CREATE_NO_CLUSTER=/etc/postgresql-common/createcluster.d/agent-scripts.conf
POLICY_IS_OURS=no
CREATE_NO_CLUSTER_IS_OURS=no

# Packages that the wanted set ("demo" or "test") lacks on this machine.
missing_packages() {
  [ -n "$(postgres_bin)" ] || echo postgresql
  command -v etcd >/dev/null || echo etcd-server
  command -v haproxy >/dev/null || echo haproxy
  command -v setpriv >/dev/null || echo util-linux
  if ! find_deno >/dev/null && ! command -v npm >/dev/null; then echo npm; fi
  [ "$1" = test ] || return 0
  command -v ip >/dev/null || echo iproute2
  command -v openssl >/dev/null || echo openssl
  command -v patronictl >/dev/null || echo patroni python3-etcd python3-psycopg2
  # What the distribution's Patroni needs for TLS, and does not bring. Another Python may come first on PATH.
  /usr/bin/python3 -c "import idna" 2>/dev/null || echo python3-idna
}

# Makes sure of the packages for "demo" or "test"; says what to do where it cannot.
ensure_packages() {
  local missing
  missing=$(missing_packages "$1" | xargs)
  if [ -z "$missing" ]; then say "nothing to install from the distribution"; return; fi
  if ! command -v apt-get >/dev/null; then
    explain_other_system "$1"
    exit 1
  fi
  if is_root; then
    install_packages "$1"
  elif command -v sudo >/dev/null; then
    say "installing needs root, by sudo: $missing"
    sudo env PATH="$PATH" "$ROOT/scripts/install" --packages-only "$1"
  else
    fail "install $missing: neither root nor sudo; run as root: apt-get install $missing"
  fi
}

explain_other_system() {
  cat >&2 <<TEXT
Cannot install on this system: it has no apt-get. Install these by hand, then run the command again:
  - PostgreSQL 12 or newer with its server programs (initdb, postgres, pg_basebackup, pg_ctl) on PATH
  - etcd 3.4 or newer (the program "etcd" on PATH)
  - HAProxy 2.0 or newer (the program "haproxy" on PATH)
  - setpriv (util-linux) and, when run as root, a user "postgres"
  - Deno $DENO_VERSION on PATH, or npm
TEXT
  if [ "$1" = test ]; then
    echo '  - iproute2 (the program "ip")' >&2
    echo '  - openssl' >&2
    echo '  - Patroni 3 with its etcd and psycopg2 modules (programs "patroni" and "patronictl")' >&2
  fi
}

# As root. Two runs at once take turns; the second one finds nothing left to do.
install_packages() (
  exec 9>/run/agent-install.lock
  flock -w 1800 9 || fail "install packages: another run holds /run/agent-install.lock"
  missing=$(missing_packages "$1" | xargs)
  [ -n "$missing" ] || exit 0
  say "installing from the distribution: $missing"
  trap undo_guards EXIT
  trap 'exit 130' INT TERM
  guard_services
  guard_clusters
  # shellcheck disable=SC2086 # a list of words
  run_apt $missing
  # shellcheck disable=SC2086
  disable_new_services $missing
  say "installed; no service was started"
)

# While our policy stands, packages' scripts may start, stop and restart nothing.
guard_services() {
  if [ ! -e "$POLICY" ]; then
    printf '#!/bin/sh\n# Temporary, by scripts/install of agent.\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
    POLICY_IS_OURS=yes
    return
  fi
  local answer=0
  "$POLICY" etcd start >/dev/null 2>&1 || answer=$?
  [ "$answer" = 101 ] ||
    fail "install packages: $POLICY exists and lets services start; install by hand: $missing"
}

# A newly installed PostgreSQL would make (and own) a cluster on port 5432.
guard_clusters() {
  case " $missing " in *" postgresql "*) ;; *) return 0 ;; esac
  [ -e "$CREATE_NO_CLUSTER" ] && return 0
  mkdir -p "$(dirname "$CREATE_NO_CLUSTER")"
  echo 'create_main_cluster = false' >"$CREATE_NO_CLUSTER"
  CREATE_NO_CLUSTER_IS_OURS=yes
}

undo_guards() {
  if [ "$POLICY_IS_OURS" = yes ]; then rm -f "$POLICY"; fi
  if [ "$CREATE_NO_CLUSTER_IS_OURS" = yes ]; then rm -f "$CREATE_NO_CLUSTER"; fi
}

run_apt() {
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
  if ! have_candidates "$@"; then update_lists; fi
  apt_install "$@" && return
  say "the package lists may be old: one update, one more try"
  update_lists
  apt_install "$@" || fail "install $*: apt-get failed, see above"
}

have_candidates() {
  local package
  for package; do
    apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [0-9]' || return 1
  done
}

update_lists() {
  say "apt-get update"
  apt-get -q -o DPkg::Lock::Timeout=600 update >/dev/null || fail "update the package lists: see above"
}

apt_install() {
  apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
    install --no-install-recommends --no-upgrade "$@" >/dev/null
}

# What we installed must not start at the next boot either; what was there before is left alone.
disable_new_services() {
  command -v systemctl >/dev/null || return 0
  local package
  for package; do
    case $package in
      etcd-server) systemctl disable etcd.service >/dev/null 2>&1 || true ;;
      haproxy | patroni | postgresql) systemctl disable "$package.service" >/dev/null 2>&1 || true ;;
    esac
  done
}
