#!/usr/bin/env bash
# Hosts of Debian on one bridge, each with systemd, over the files of this machine: what they write goes to memory and
# is gone at the end. `unshare --net hosts.sh run <folder> <name>…` gives them 10.0.0.1 and so on, prints the pid of each
# systemd, and ends them all at the end of its input. `hosts.sh probe <folder>` succeeds where all of it is allowed.
set -euo pipefail

# systemd's own tree of control groups: version 1 has one for it, version 2 one for everything.
GROUPS_ROOT=/sys/fs/cgroup
if [ -d $GROUPS_ROOT/systemd ]; then GROUPS_ROOT=$GROUPS_ROOT/systemd; fi

# The files of a host below $1/root. Nothing of the kernel and no device of this machine can be changed from in there.
mount_host() {
  local folder=$1 root=$1/root device
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$folder"
  mkdir "$folder/upper" "$folder/work" "$root"
  mount -t overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" overlay "$root"
  mount -t proc proc "$root/proc"
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  if [[ $GROUPS_ROOT = */systemd ]]; then
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
  else
    mount -t cgroup2 cgroup "$root/sys/fs/cgroup"
  fi
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  rm -rf "$root"/etc/systemd/system/*.wants # services of this machine do not start a second time
}

# Becomes the first process of a host.
boot() {
  local folder=$1 name=$2
  mount_host "$folder"
  echo "$name" >"$folder/root/etc/hostname"
  until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
  exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$folder/root" /lib/systemd/systemd \
    --unit=basic.target
}

# Starts a host in a control group of its own; prints the pid of its systemd.
start_host() {
  local folder=$1 name=$2 number=$3 group=$GROUPS_ROOT/$GROUP-$2 init
  mkdir -p "$group" "$folder/$name"
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    exec unshare --pid --fork --kill-child --mount --uts --ipc --net --cgroup -- "$0" boot "$folder/$name" "$name"
  ) >"$folder/$name.log" 2>&1 </dev/null &
  LAUNCHERS+=($!)
  until init=$(cat "/proc/$!/task/$!/children") && [ -n "$init" ]; do sleep 0.05; done
  init=${init// /}
  until [ "$(readlink "/proc/$init/ns/net")" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
  ip link add "port$number" type veth peer name eth0 netns "$init"
  ip link set "port$number" master bridge0 up
  nsenter --net --target "$init" ip address add "10.0.0.$number/24" dev eth0
  nsenter --net --target "$init" ip link set eth0 up
  nsenter --net --target "$init" ip link set lo up
  echo "$init"
}

# KILL of a launcher ends its whole namespace of processes; the control groups are empty a moment later.
end_hosts() {
  local launcher attempt
  for launcher in "${LAUNCHERS[@]}"; do kill -KILL "$launcher" 2>/dev/null || true; done
  wait 2>/dev/null
  for attempt in $(seq 50); do
    find "$GROUPS_ROOT" -depth -type d -path "$GROUPS_ROOT/$GROUP-*" -exec rmdir {} + 2>/dev/null && break
    sleep 0.1
  done
}

run() {
  local folder=$1 number=0 name
  shift
  LAUNCHERS=() GROUP=agent-hosts-$$
  trap end_hosts EXIT
  ip link set lo up
  ip link add bridge0 type bridge
  ip link set bridge0 up
  for name in "$@"; do
    number=$((number + 1))
    start_host "$folder" "$name" "$number"
  done
  cat >/dev/null
}

probe() {
  local group=$GROUPS_ROOT/agent-probe-$$
  [ -x /lib/systemd/systemd ] || exit 1
  mkdir "$group"
  rmdir "$group"
  unshare --pid --fork --mount --uts --ipc --net --cgroup -- "$0" mount "$1"
}

case $1 in
mount) mount_host "$2" ;;
boot | run | probe) "$@" ;;
esac
