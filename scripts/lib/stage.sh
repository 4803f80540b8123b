# A place where an unprivileged user can run the project: PostgreSQL refuses to run as root, and the
# clone, Deno and its cache may lie where only root can read. Needs common.sh and ensure_deno.

STAGE=
STAGE_TREE=

# Sets STAGE (temporary folder) and STAGE_TREE (the project in it; the clone itself unless we are root).
make_stage() {
  STAGE=$(mktemp -d /tmp/agent.XXXXXX)
  trap remove_stage EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  mkdir "$STAGE/home" "$STAGE/tmp" "$STAGE/bin" "$STAGE/runtime"
  if ! is_root; then
    STAGE_TREE=$ROOT
    ln -s "$DENO" "$STAGE/bin/deno"
    return
  fi
  id postgres >/dev/null 2>&1 || fail "run as user postgres: there is no such user"
  STAGE_TREE=$STAGE/tree
  mkdir "$STAGE_TREE"
  list_tree | tar -C "$ROOT" --null --no-recursion -T - -cf - | tar -C "$STAGE_TREE" -xf -
  cp "$DENO" "$STAGE/bin/deno"
  cp -r "$DENO_CACHE" "$STAGE/deno_dir"
  DENO_CACHE=$STAGE/deno_dir
  chown -R postgres:postgres "$STAGE"
  chmod 755 "$STAGE"
  say "running as user postgres in $STAGE"
}

# Builds dist/agent in the stage and starts it once, so that no later start has to unpack it. Needs make_stage.
build_agent() {
  local tools lock
  tools=$(tools_dir)
  say "building dist/agent"
  exec {lock}>"$tools/.lock"
  flock -w 1800 "$lock" || fail "build dist/agent: another run holds $tools/.lock"
  (cd "$ROOT" && DENO_DIR=$tools/deno_dir DENO_NO_UPDATE_CHECK=1 NO_COLOR=1 "$DENO" run --quiet --cached-only \
    --no-prompt --allow-all scripts/compile.ts --kind "${AGENT_EXECUTABLE_KIND:-self-extracting}" \
    --packed "$tools/packed" --output "$STAGE_TREE/dist/agent" --unproved) ||
    fail "build dist/agent: see above"
  exec {lock}>&-
  if is_root; then chown -R postgres:postgres "$STAGE_TREE/dist"; fi
  run_staged dist/agent --version || fail "run dist/agent: see above"
}

# The files of the project, separated by NUL: what git knows and has not ignored, or everything.
list_tree() (
  cd "$ROOT"
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard
  else
    find . -type f -not -path './.git/*' -not -path '*/node_modules/*' -not -path './dist/*' -print0
  fi | while IFS= read -r -d '' file; do
    if [ -f "$file" ]; then printf '%s\0' "$file"; fi
  done
)

# Runs a command in the stage with a clean environment; words of the form NAME=value may come first.
run_staged() (
  enter_stage
  if is_root; then
    exec setpriv --reuid postgres --regid postgres --init-groups -- "${CLEAN[@]}" "$@"
  fi
  exec "${CLEAN[@]}" "$@"
)

# The same as the user who called us; what it caches stays out of the stage's cache.
run_owned() (
  enter_stage
  mkdir -p "$STAGE/own"
  exec "${CLEAN[@]}" "DENO_DIR=$(tools_dir)/deno_dir" "HOME=$STAGE/own" "TMPDIR=$STAGE/own" "$@"
)

# The same in a network namespace of its own, with the right to build on it: hosts, a bridge, cables. All of
# it is gone with the last process in it, and no name in it is known outside. Needs root, or a kernel that
# lets users make namespaces of users.
run_networked() (
  enter_stage
  if is_root; then
    rights=+net_admin,+sys_admin
    exec unshare --net -- setpriv --reuid postgres --regid postgres --init-groups \
      --inh-caps "$rights" --ambient-caps "$rights" -- "${CLEAN[@]}" "$@"
  fi
  exec unshare --user --map-current-user --keep-caps --net -- "${CLEAN[@]}" "$@"
)

# The same in a network of its own without such a right: its ports are in nobody's way.
run_isolated() (
  enter_stage
  # shellcheck disable=SC2016 # for the inner shell
  with_loopback=(sh -c 'ip link set lo up && exec "$@"' sh)
  if is_root; then
    exec unshare --net -- "${with_loopback[@]}" setpriv --reuid postgres --regid postgres --init-groups -- \
      "${CLEAN[@]}" "$@"
  fi
  exec unshare --user --map-current-user --keep-caps --net -- "${with_loopback[@]}" \
    setpriv --ambient-caps -all --inh-caps -all -- "${CLEAN[@]}" "$@"
)

enter_stage() {
  cd "$STAGE_TREE"
  CLEAN=(env -i "PATH=$STAGE/bin:$(postgres_bin):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    "HOME=$STAGE/home" "TMPDIR=$STAGE/tmp" "DENO_DIR=$DENO_CACHE" LANG=C.UTF-8 "TERM=${TERM:-dumb}"
    "AGENT_RUNTIME_DIR=$STAGE/runtime" DENO_NO_UPDATE_CHECK=1)
}

# Processes of the stage: their folder, command line or environment names it.
stage_processes() {
  local proc
  for proc in /proc/[0-9]*; do
    [ "${proc#/proc/}" = "$$" ] && continue
    case "$(readlink "$proc/cwd" 2>/dev/null)/" in "$STAGE"/*) echo "${proc#/proc/}"; continue ;; esac
    if cat "$proc/cmdline" "$proc/environ" 2>/dev/null | grep -qF "$STAGE/"; then echo "${proc#/proc/}"; fi
  done
}

# Ends what is left of this run, by pid, and removes its folder.
remove_stage() {
  local pids
  [ -n "$STAGE" ] || return 0
  cd /
  # Parts that run side by side would start the next command.
  pids=$(jobs -p)
  # shellcheck disable=SC2086 # a list of words
  if [ -n "$pids" ]; then kill $pids 2>/dev/null || true; fi
  # A stopped process handles no TERM: KILL needs no answer. While they are listed, the living start others.
  for _ in 1 2 3 4 5; do
    pids=$(stage_processes)
    [ -n "$pids" ] || break
    # shellcheck disable=SC2086 # a list of words
    kill -KILL $pids 2>/dev/null || true
  done
  if mountpoint -q "$STAGE/small" 2>/dev/null; then umount "$STAGE/small" || umount -l "$STAGE/small"; fi
  rm -rf "$STAGE" || { sleep 1; rm -rf "$STAGE"; }
  STAGE=
}
