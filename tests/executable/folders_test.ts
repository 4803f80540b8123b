import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { runFile } from "../../scripts/executable/run_file.ts";
import { AS_POSTGRES, mounted, onPlace, onRootPlace, sh } from "./places.ts";

const WRITABLE = "mount -t tmpfs tmpfs /var/tmp && chmod 1777 /var/tmp";
const NOEXEC = "mount -t tmpfs -o noexec tmpfs /tmp && chmod 1777 /tmp";
const READ_ONLY_HOME = "mount -t tmpfs -o ro tmpfs /home";

/** The executable must lie where the mounts of these tests do not hide it. */
async function atRoot(file: string, body: (file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: "/opt", prefix: "agent-" });
  try {
    await Deno.chmod(folder, 0o755);
    await Deno.copyFile(file, `${folder}/agent`);
    await body(`${folder}/agent`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

onRootPlace("it runs as root and as postgres without HOME and with /tmp noexec", async (place) => {
  await atRoot(place.file, async (file) => {
    for (const user of [[], AS_POSTGRES]) {
      const launch = mounted(`${WRITABLE} && ${NOEXEC} && ${READ_ONLY_HOME}`, [
        ...user,
        "sh",
        "-c",
        '"$@" && cd /var/tmp/agent-* && stat -c "%a" . && [ -O . ] && ls',
        "sh",
      ]);
      const { code, output } = await runFile(file, ["--version"], { launch });
      match(output, /^agent \S+\n700\njs-\w+\nrt-\w+\n$/);
      strictEqual(code, 0);
    }
  });
});

onRootPlace("it runs with a home that is read-only, in the folder of the unit", async (place) => {
  await atRoot(place.file, async (file) => {
    const cache = "mkdir -m 700 /var/cache/agent && chown postgres /var/cache/agent";
    const launch = mounted(`mount -t tmpfs tmpfs /var/cache && ${cache} && ${READ_ONLY_HOME}`, [
      ...AS_POSTGRES,
      "sh",
      "-c",
      '"$@" && ls /var/cache/agent',
      "sh",
    ]);
    const env = { HOME: "/home/postgres" };
    const { code, output } = await runFile(file, ["--version"], { launch, env });
    match(output, /^agent \S+\njs-\w+\nrt-\w+\n$/);
    strictEqual(code, 0);
  });
});

onRootPlace("where no folder can be used it ends with 73 and tells why of each", async (place) => {
  await atRoot(place.file, async (file) => {
    const mounts = `${NOEXEC} && mount -t tmpfs -o ro tmpfs /var/tmp && ${READ_ONLY_HOME}
      mount -t tmpfs -o ro tmpfs /var/cache`;
    const launch = mounted(mounts, AS_POSTGRES);
    const { code, output } = await runFile(file, ["--version"], { launch, env: { HOME: "/home" } });
    strictEqual(code, 73);
    match(output, /\/home\/\.cache\/agent: .*Read-only file system/);
    match(output, /\/var\/tmp\/agent-\d+: .*Read-only file system/);
    match(output, /\/tmp\/agent-\d+: no program may be run there \(noexec\)/);
    match(output, /Name a folder of this user in AGENT_RUNTIME_DIR/);
  });
});

onRootPlace("it runs nothing from a folder that another user could have filled", async (place) => {
  await place.run(["--version"]);
  const spy = "for one in rt-*/agent; do printf '#!/bin/sh\\necho caught\\n' >$one; done";
  await sh(`cd '${place.runtime}' && ${spy}`);
  const asRoot = await place.run(["--version"], { launch: [] });
  deepStrictEqual([asRoot.code, /not a folder of user 0/.test(asRoot.output)], [73, true]);
  for (const [rights, above] of [["777", "755"], ["770", "755"], ["1777", "755"], ["700", "777"]]) {
    await sh(`chmod ${rights} '${place.runtime}'; chmod ${above} '${place.folder}'`);
    const { code, output } = await place.run(["--version"]);
    match(output, /another user may change it or a folder above it/);
    strictEqual(code, 73);
  }
});

onRootPlace("a folder that another user has made and filled is passed over", async (place) => {
  await place.run(["--version"]);
  // Of the right names and sizes, so that only the owner tells it from our own.
  await sh(`cd '${place.runtime}' && size=$(stat -c %s rt-*/agent) && chmod -R 755 . &&
    printf '#!/bin/sh\\necho caught; exit\\n' >$(echo rt-*/agent) && truncate -s "$size" rt-*/agent &&
    chown -R nobody .`);
  await atRoot(place.file, async (file) => {
    const trap = `cp -a '${place.runtime}' /var/tmp/agent-$(id -u postgres)`;
    const other = "mount -t tmpfs tmpfs /tmp && chmod 1777 /tmp";
    const launch = mounted(`${WRITABLE} && ${trap} && ${other}`, [
      ...AS_POSTGRES,
      "sh",
      "-c",
      '"$@" && ls /tmp/agent-*',
      "sh",
    ]);
    const { code, output } = await runFile(file, ["--version"], { launch });
    match(output, /^agent \S+\njs-\w+\nrt-\w+\n$/);
    strictEqual(code, 0);
  });
});

onPlace("a link in the place of the folder is refused", async (place) => {
  await sh(`ln -s '${place.runtime}' '${place.folder}/link'`);
  const env = { AGENT_RUNTIME_DIR: `${place.folder}/link` };
  const { code, output } = await place.run(["--version"], { env });
  match(output, /link: not a folder of user \d+/);
  strictEqual(code, 73);
});

onRootPlace(
  "a command of who became another user does not end at the former one's home",
  async (place) => {
    await sh(`mkdir -m 700 '${place.folder}/home'`);
    const manner = { env: { HOME: `${place.folder}/home` }, cwd: place.folder };
    const { code, output } = await place.run(["list"], manner);
    match(output, /Cannot read patroni.yml: no such file; name one with -c/);
    strictEqual(code, 1);
  },
);
