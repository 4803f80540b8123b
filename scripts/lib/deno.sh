# Finds or installs the one version of Deno that the project is tested with. Needs common.sh.

is_wanted_deno() { [ "$("$1" --version 2>/dev/null | head -n 1 | cut -d' ' -f2)" = "$DENO_VERSION" ]; }

# Prints the path of the real executable (not a wrapper) of the wanted version.
find_deno() {
  local candidate
  for candidate in "$(command -v deno || true)" "$(tools_dir)/deno-$DENO_VERSION/node_modules/.bin/deno"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ] && is_wanted_deno "$candidate"; then
      "$candidate" eval 'console.log(Deno.execPath())'
      return
    fi
  done
  return 1
}

# Makes sure of Deno and of the packages in deno.lock; sets DENO and DENO_CACHE.
ensure_deno() {
  local tools lock
  tools=$(tools_dir)
  mkdir -p "$tools"
  exec {lock}>"$tools/.lock"
  flock -w 1800 "$lock" || fail "install Deno: another run holds $tools/.lock"
  if ! DENO=$(find_deno); then
    say "installing Deno $DENO_VERSION by npm into $tools"
    npm install --silent --no-audit --no-fund --prefix "$tools/deno-$DENO_VERSION" "deno@$DENO_VERSION" ||
      fail "install Deno: npm failed, see above"
    DENO=$(find_deno) || fail "run Deno $DENO_VERSION after its installation in $tools"
  fi
  DENO_CACHE=$tools/deno_dir
  say "Deno $DENO_VERSION is $DENO; fetching the packages of deno.lock that are not cached"
  (cd "$ROOT" && DENO_DIR=$DENO_CACHE NO_COLOR=1 "$DENO" install --quiet --frozen) ||
    fail "fetch the packages of deno.lock: see above"
  exec {lock}>&-
}
