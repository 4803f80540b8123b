/**
 * The dead-man's switch as text for `/bin/sh -c 'eval "$3"' agent-switch <folder> <data directory> <this text>`: it
 * travels inside the executable. POSIX sh; forks only `sleep` and `logger`. A fork that fails
 * ends a shell, so the exit trap begins again in the same process.
 * The state of a postmaster is the eighth line of its pid file (PostgreSQL source, pidfile.h).
 *
 * `<folder>/state`: `armed <INT> <QUIT> <KILL> <end> ...` in boot-clock milliseconds, or `disarmed`,
 * or `resting`: disarmed in maintenance mode.
 * `<folder>/pid`: pid and start ticks of the one switch in charge; another one leaves. `<folder>/firings`: appended.
 */
export const SWITCH_SCRIPT = `
dir=$1 data=$2 text=$3
again() {
  trap - EXIT
  exec /bin/sh -c 'eval "$3"' agent-switch "$dir" "$data" "$text"
}
leave() {
  trap - EXIT
  exit 0
}
trap '' HUP INT QUIT TERM PIPE ALRM USR1 USR2
command -v sleep >/dev/null || exit 127
trap again EXIT
cd /
umask 077
logger=
command -v logger >/dev/null && logger=logger
word='' stop=0 quit=0 kill=0 ends=0 sent=' ' all= now=0 slept=0

# In a container the file may be a service's (lxcfs) and vanish with it: then time goes on by what was slept.
clock() {
  if read -r up _ </proc/uptime; then now=\${up%.*}\${up#*.}0; else now=$((now + slept)); fi
  slept=0
}

# pid -> comm, state, ppid, ticks; fails for none and for a zombie.
stat_of() {
  line=
  read -r line <"/proc/$1/stat" || return 1
  comm=\${line#*\\(}
  comm=\${comm%\\)*}
  set -- \${line##*\\) }
  state=$1 ppid=$2 ticks=\${20}
  case $state in Z | X | x | '') return 1 ;; esac
}

# What cannot be read leaves the last orders in force.
load() {
  w='' a='' b='' c='' d=''
  read -r w a b c d _ <"$dir/state" || return 0
  case $w in
  armed)
    case $d in '') return 0 ;; esac
    case $a$b$c$d in *[!0-9]*) return 0 ;; esac
    [ "$d" = "$ends" ] || sent=' '
    word=$w stop=$a quit=$b kill=$c ends=$d
    ;;
  disarmed | resting) word=$w sent=' ' ;;
  esac
}

# /proc/PID -> does it work in the data directory, or was it started on it before it was removed? Bytes 0 are not read.
works_here() {
  [ "$1/cwd" -ef "$data" ] && return 0
  [ -e "$1/cwd/PG_VERSION" ] && return 1
  title=
  read -r title <"$1/cmdline"
  case $title in *"-D$data" | *"-D$data-"*) return 0 ;; esac
  return 1
}

# /proc/PID -> is it a server process of the directory? The holder of its pid file may be called anything.
belongs() {
  pid=\${1#/proc/}
  stat_of "$pid" || return 1
  case $comm in
  postgres | postmaster) works_here "$1" ;;
  *) [ "$pid" = "$holder" ] && [ "$1/cwd" -ef "$data" ] ;;
  esac
}

read_holder() {
  holder=
  read -r holder _ <"$data/postmaster.pid"
  holder=\${holder#-}
  case $holder in *[!0-9]*) holder= ;; esac
}

# Every server process of the directory, as pid:parent:ticks.
scan() {
  all='' found=' '
  read_holder
  for proc in /proc/[0-9]*; do
    belongs "$proc" || continue
    found="$found$pid "
    all="$all $pid:$ppid:$ticks"
  done
}

# The holder of the pid file alone: found at once, also where the search of a busy host takes long.
scan_holder() {
  mains='' orphans=
  read_holder
  [ -n "$holder" ] && belongs "/proc/$holder" || return 1
  title=
  read -r title <"/proc/$holder/cmdline"
  case $title in postgres:*) return 1 ;; esac
  mains="$holder:$ppid:$ticks"
}

# The roots among them: postmasters, single-user servers, and backends whose postmaster is dead.
sort_out() {
  mains='' orphans=
  for one in $all; do
    pid=\${one%%:*} rest=\${one#*:}
    case $found in *" \${rest%%:*} "*) continue ;; esac
    title=
    read -r title <"/proc/$pid/cmdline"
    case $title in
    postgres:*) orphans="$orphans $one" ;;
    *) mains="$mains $one" ;;
    esac
  done
}

# Its pid file says that somebody stops it already: INT hastens a smart shutdown, and is no firing.
is_stopping() {
  pm='' st=''
  {
    read -r pm && read -r _ && read -r _ && read -r _ && read -r _ && read -r _ && read -r _ && read -r st
  } <"$data/postmaster.pid"
  case "$pm $st" in "$1 stopping"*) return 0 ;; *) return 1 ;; esac
}

# signal, process -> true the first time.
is_new() {
  case $sent in *" $1:$2 "*) return 1 ;; esac
  sent="$sent$1:$2 "
}

# The backends of a stopped postmaster go on writing until the search has found them; its own list of children is there
# at once (proc(5): since Linux 4.2 with CONFIG_PROC_CHILDREN).
kill_children() {
  kids=
  read -r kids <"/proc/$1/task/$1/children"
  for kid in $kids; do kill -KILL "$kid"; done
}

fence() {
  if [ "$stage" = KILL ]; then
    for one in $mains; do kill -STOP "\${one%%:*}"; done
    for one in $mains; do kill_children "\${one%%:*}"; done
    [ -z "$mains" ] || scan
    for one in $all; do kill -KILL "\${one%%:*}"; done
  fi
  for one in $mains; do
    is_new "$stage" "$one" || continue
    quiet=
    [ "$stage" = INT ] && is_stopping "\${one%%:*}" && quiet=1
    [ "$stage" = KILL ] || kill -"$stage" "\${one%%:*}" || continue # gone meanwhile
    [ -z "$quiet" ] || continue
    news="$news $stage:\${one%%:*}"
  done
  for one in $orphans; do
    kill -KILL "\${one%%:*}"
    is_new ORPHAN "$one" && news="$news ORPHAN:\${one%%:*}"
  done
}

# What is due now; fails when nothing is.
due() {
  stage=
  [ "$word" = armed ] || return 1
  clock
  if [ "$now" -ge "$kill" ]; then
    stage=KILL
  elif [ "$now" -ge "$quit" ]; then
    stage=QUIT
  elif [ "$now" -ge "$stop" ]; then
    stage=INT
  else
    return 1
  fi
}

# Fences what a search has found, and tells. The orders are read again: a renewal that came meanwhile counts, and what is
# started after it is not among the found.
answer() {
  news=''
  load
  due || return 0
  fence
  for one in $news; do
    printf '%s %s %s\\n' "$now" "\${one%:*}" "\${one#*:}" >>"$dir/firings"
  done
  [ -z "$news" ] || [ -z "$logger" ] ||
    "$logger" -t agent-switch -p daemon.crit "the lease of $data was not renewed:$news" &
}

# The postmaster does not wait for the search for all: where that outlasts the time between INT and QUIT, there would
# be no INT, and standbys would not receive everything.
look() {
  all=
  due || return 0
  scan_holder && answer
  scan
  sort_out
  answer
}

# At most a second, and not beyond the next moment.
pause() {
  clock
  wait=1000
  if [ "$word" = armed ]; then
    for at in $stop $quit $kill; do
      left=$((at - now))
      if [ $left -gt 0 ] && [ $left -lt $wait ]; then wait=$left; fi
    done
    if [ "$stage" = KILL ] && [ -n "$all" ]; then wait=100; fi
  fi
  [ $wait -ge 10 ] || wait=10
  frac=$((1000 + wait % 1000))
  sleep "$((wait / 1000)).\${frac#1}"
  slept=$wait
}

stat_of $$ && printf '%s %s\\n' $$ "$ticks" >"$dir/pid"
while :; do
  owner=
  read -r owner _ <"$dir/pid"
  case $owner in '' | $$) ;; *) leave ;; esac
  load
  look
  pause
done
`;
