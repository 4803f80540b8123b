import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { openDoor, writeProbe } from "../../scripts/executable/probe.ts";
import {
  isHupIgnored,
  isUsr1Blocked,
  type Started,
  startFile,
} from "../../scripts/executable/run_file.ts";
import { signalPid } from "../../scripts/playground/processes.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { AS_POSTGRES, IS_ROOT, onPlace, onUnpackedPlace, type Place, sh } from "./places.ts";

interface Probe extends Pick<Started, "written" | "ended"> {
  readonly pid: number;
  readonly signal: (name: Deno.Signal) => void;
}

/** A reload takes a while, and an end cuts it short. */
async function seeReload({ written }: Pick<Started, "written">): Promise<void> {
  await waitFor("a reload", 20_000, () => {
    const seen = written();
    return Promise.resolve({ met: seen.includes("Reloaded the configuration") || null, seen });
  });
}

/** A member that asks a store which sends it away. */
async function onMember(
  place: Place,
  env: Readonly<Record<string, string>>,
  body: (probe: Probe) => Promise<void>,
): Promise<void> {
  await using store = openDoor();
  const config = await writeProbe(place.folder, store.port);
  if (IS_ROOT) await sh(`chown postgres '${config}' '${place.folder}'`);
  const { child, written, ended } = startFile(place.file, [config], {
    launch: AS_POSTGRES,
    env: { AGENT_RUNTIME_DIR: place.runtime, ...env },
  });
  try {
    await waitFor("a question to the store", 20_000, () => {
      return Promise.resolve({ met: store.visits > 0 ? true : null, seen: "none" });
    });
    await body({ pid: child.pid, signal: (name) => child.kill(name), written, ended });
  } finally {
    signalPid(child.pid, "SIGKILL"); // it has ended unless a check before failed
    await ended;
  }
}

onUnpackedPlace(
  "arguments reach the program as they are, and its exit codes come back",
  async (place) => {
    const name = `${place.folder}/no such\n--allow-net.yml`;
    const missing = await place.run([name]);
    deepStrictEqual([missing.code, missing.output.includes(name)], [78, true]);
    const empty = await place.run(["detach", "-c", "", "--", "more"]);
    strictEqual(empty.code, 2);
    strictEqual((await place.run([])).code, 2);
    strictEqual((await place.run(["--help"])).code, 0);
    const closed = await place.run(["list", "-c", name]);
    deepStrictEqual([closed.code, closed.output.includes(name)], [1, true]);
  },
);

onUnpackedPlace("it starts by a relative path, by PATH, by a link and by sh", async (place) => {
  await Deno.symlink("agent", `${place.folder}/other`);
  const PATH = `${place.folder}:${Deno.env.get("PATH")}`;
  for (const line of ["./agent --version", "agent --version", "./other -V", "sh agent --version"]) {
    const launch = [...AS_POSTGRES, "sh", "-c", `exec ${line}`];
    const { code, output } = await place.run([], { launch, cwd: place.folder, env: { PATH } });
    deepStrictEqual([code, output.split(" ")[0]], [0, "agent"], output);
  }
});

onUnpackedPlace("foreign settings around it change nothing", async (place) => {
  const faulty = { "deno.json": "{", "package.json": "{", ".npmrc": "x", ".env": "A=1" };
  for (const [name, text] of Object.entries(faulty)) {
    await Deno.writeTextFile(`${place.folder}/${name}`, text);
  }
  const env = {
    DENO_V8_FLAGS: "--no-such",
    NODE_OPTIONS: "--no-such",
    COMPLETE: "bash",
    RUST_BACKTRACE: "1",
    DENO_DIR: "/nowhere",
  };
  const { code, output } = await place.run(["--version"], { cwd: place.folder, env });
  match(output, /^agent \S+\n$/);
  strictEqual(code, 0);
});

onUnpackedPlace("TERM reaches the agent by the pid that was started", async (place) => {
  await onMember(place, {}, async ({ pid, signal, ended }) => {
    strictEqual((await Deno.readTextFile(`/proc/${pid}/comm`)).trim(), "agent");
    signal("SIGTERM");
    const { code, output } = await ended;
    match(output, /Asked to end/);
    strictEqual(code, 0);
  });
});

onPlace("HUP ends no agent that starts, from its first moment on", async (place) => {
  await using store = openDoor();
  const config = await writeProbe(place.folder, store.port);
  if (IS_ROOT) await sh(`chown postgres '${config}' '${place.folder}'`);
  const { child, written, ended } = startFile(place.file, [config], {
    launch: AS_POSTGRES,
    env: { AGENT_RUNTIME_DIR: place.runtime },
  });
  let count = 0;
  try {
    await waitFor("the first line of the launcher", 5000, async () => {
      return { met: await isHupIgnored(child.pid) ? true : null, seen: "not" };
    });
    await waitFor("a question to the store", 30_000, () => {
      signalPid(child.pid, "SIGHUP");
      count++;
      return Promise.resolve({ met: store.visits > 0 ? true : null, seen: `${count} signals` });
    });
    await seeReload({ written });
    child.kill("SIGTERM");
    strictEqual((await ended).code, 0);
  } finally {
    signalPid(child.pid, "SIGKILL"); // it has ended unless a check before failed
    await ended;
  }
  ok(count > 3, `${count} signals`);
});

onUnpackedPlace(
  "USR1 neither ends the agent nor opens the inspector of its runtime",
  async (place) => {
    await onMember(place, {}, async ({ pid, signal, written, ended }) => {
      ok(await isUsr1Blocked(pid));
      signal("SIGUSR1");
      signal("SIGHUP");
      await pause(800); // the inspector needs 500 ms of life
      await seeReload({ written });
      signal("SIGTERM");
      const { code, output } = await ended;
      doesNotMatch(output, /[Dd]ebugger|inspector/);
      strictEqual(code, 0);
    });
  },
);

/** A folder to put before PATH: its `env` is that of coreutils before 8.31; `perl` as given. */
async function oldTools(place: Place, perl: string | null): Promise<string> {
  const bin = `${place.folder}/bin`;
  const env = '#!/bin/sh\ncase $1 in --block*) exit 125 ;; esac\nexec /usr/bin/env "$@"\n';
  await Deno.mkdir(bin, { recursive: true });
  await Deno.writeTextFile(`${bin}/env`, env, { mode: 0o755 });
  if (perl !== null) await Deno.writeTextFile(`${bin}/perl`, perl, { mode: 0o755 });
  return `${bin}:${Deno.env.get("PATH")}`;
}

onUnpackedPlace("with old coreutils perl blocks USR1", async (place) => {
  const PATH = await oldTools(place, null);
  await onMember(place, { PATH }, async ({ pid, signal }) => {
    ok(await isUsr1Blocked(pid));
    signal("SIGTERM");
  });
});

onUnpackedPlace("with old coreutils and no perl it warns and runs", async (place) => {
  const PATH = await oldTools(place, "#!/bin/sh\nexit 127\n");
  const { code, output } = await place.run(["--version"], { env: { PATH } });
  match(output, /^agent \S+\nagent: cannot block USR1/);
  strictEqual(code, 0);
});

onUnpackedPlace("a trace of the program names its sources", async (place) => {
  const launch = [...AS_POSTGRES, "sh", "-c", 'exec "$@" >/dev/full', "sh"];
  const { code, output } = await place.run(["--help"], { launch, env: { NO_COLOR: "1" } });
  match(output, /lib\/cli\/main\.ts:\d+:\d+[\s\S]* main\.ts:\d+:\d+/);
  strictEqual(code, 1);
});

onUnpackedPlace(
  "a proxy in the environment does not come between agent and store",
  async (place) => {
    await using proxy = openDoor();
    const HTTP_PROXY = `http://127.0.0.1:${proxy.port}`;
    const env = { HTTP_PROXY, http_proxy: HTTP_PROXY, ALL_PROXY: HTTP_PROXY };
    await onMember(place, env, async ({ signal, ended }) => {
      signal("SIGTERM");
      strictEqual((await ended).code, 0);
    });
    strictEqual(proxy.visits, 0);
  },
);
