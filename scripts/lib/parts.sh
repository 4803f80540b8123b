# Parts of a test run, side by side: each is a command with a log of its own. Needs common.sh and make_stage.

# Where the parts leave what they found; call it once, after make_stage.
open_results() {
  RESULTS=$STAGE/results
  mkdir "$RESULTS"
  : >"$RESULTS/counts"
}

# Numbers of passed, failed and skipped tests.
count() { echo "$1 $2 $3" >>"$RESULTS/counts"; }

# Sets PASSED, FAILED and SKIPPED to the sums so far.
sum_counts() {
  read -r PASSED FAILED SKIPPED < <(
    awk '{ passed += $1; failed += $2; skipped += $3 } END { print passed + 0, failed + 0, skipped + 0 }' \
      "$RESULTS/counts"
  )
}

# `side_by_side LANES COMMAND ITEM...`: COMMAND with each item, at most LANES at once, in the order given.
side_by_side() {
  local lanes=$1 command=$2 item running=0
  shift 2
  for item in "$@"; do
    if [ "$running" -ge "$lanes" ]; then
      await_part
      running=$((running - 1))
    fi
    "$command" "$item" &
    running=$((running + 1))
  done
  while [ "$running" -gt 0 ]; do
    await_part
    running=$((running - 1))
  done
}

# A part counts its tests itself, and ends well when some of them fail.
await_part() {
  wait -n && return 0
  count 0 1 0
  say "a part FAILED, see above"
}

# One command that is right or wrong as a whole: counts as one test.
check() {
  local title=$1 log=$RESULTS/$1.log
  shift
  if run_staged NO_COLOR=1 "$@" </dev/null >"$log" 2>&1; then
    count 1 0 0
    say "$title: ok"
  else
    count 0 1 0
    mv "$log" "$RESULTS/$title.failures"
    say "$title: FAILED"
  fi
}

# `tests TITLE WORDS...`: `deno test` with flags and paths; its closing line gives the numbers.
tests() {
  local title=$1 log=$RESULTS/$1.log closing
  shift
  say "$title: running"
  "$RUNNER" NO_COLOR=1 "${HANDED[@]}" deno test --no-prompt --cached-only --no-check "${FILTER[@]}" "$@" \
    </dev/null 2>&1 | tee "$log" | show "$title" || true
  closing=$(grep -E '^(ok|FAILED) \| [0-9]+ passed' "$log" | tail -n 1) || true
  if [ -z "$closing" ]; then
    count 0 1 0
    tail -n 200 "$log" >"$RESULTS/$title.failures"
    say "$title: FAILED, it did not come to its end"
    return
  fi
  numbers "$closing"
  if [[ $closing == FAILED* ]]; then sed -n '/^ ERRORS $/,$p' "$log" >"$RESULTS/$title.failures"; fi
  say "$title: $closing"
}

# Lines of a running part but for tests that passed and said nothing; what failed is told by print_failures.
show() {
  local line
  while IFS= read -r line; do
    case $line in
    " ERRORS ") cat >/dev/null ;;
    "" | *"... ok ("*) ;;
    *) printf '%s| %s\n' "$1" "$line" ;;
    esac
  done
}

numbers() {
  local passed failed skipped
  passed=$(sed -nE 's/.*\| ([0-9]+) passed.*/\1/p' <<<"$1")
  failed=$(sed -nE 's/.*\| ([0-9]+) failed.*/\1/p' <<<"$1")
  skipped=$(sed -nE 's/.*\| ([0-9]+) ignored.*/\1/p' <<<"$1")
  # A file that cannot be loaded fails without a failed test.
  if [[ $1 == FAILED* && ${failed:-0} = 0 ]]; then failed=1; fi
  count "${passed:-0}" "${failed:-0}" "${skipped:-0}"
}

# What failed since the last call, part by part.
print_failures() {
  local file
  for file in "$RESULTS"/*.failures; do
    [ -e "$file" ] || continue
    printf '\n%s:\n' "$(basename "$file" .failures)"
    cat "$file"
    rm "$file"
  done
}
