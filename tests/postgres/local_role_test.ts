import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { BEAT_MS } from "../../lib/base/clock.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { LocalRole } from "../../lib/postgres/local_role.ts";
import { member } from "./real_server.ts";

/** A clock that sleeps at once, and tells how long it would have. */
class InstantClock implements Clock {
  readonly slept: number[] = [];
  onSleep: (count: number) => Promise<void> = () => Promise.resolve();
  #nowMs = 1_000_000;

  bootMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number): Promise<void> {
    this.#nowMs += ms;
    await this.onSleep(this.slept.push(ms));
  }

  beat(): Promise<void> {
    return this.sleep(BEAT_MS);
  }
}

interface World {
  readonly clock: InstantClock;
  readonly role: LocalRole;
  /** Writes the file of a postmaster that says this of itself. */
  readonly say: (status: string) => Promise<void>;
}

const never = new AbortController().signal;
const STEPS = Array.from({ length: 10 }, () => 10);

/** A process that holds a data directory, as a postmaster that nobody can connect to. */
async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "agent-role-" }));
  const dataDir = `${dir}/a`;
  await Deno.mkdir(dataDir);
  const holder = new Deno.Command("sleep", { args: ["600"], cwd: dataDir }).spawn();
  try {
    const clock = new InstantClock();
    const { options } = member(dir, "a", { clock });
    const { port } = options.listen;
    const say = (status: string): Promise<void> => {
      const lines = [holder.pid, dataDir, 0, port, "", "127.0.0.1", "", `${status} `, ""];
      return Deno.writeTextFile(`${dataDir}/postmaster.pid`, lines.join("\n"));
    };
    await work({ clock, role: new LocalRole(options), say });
  } finally {
    holder.kill("SIGKILL");
    await holder.status;
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("ask() is silent where no server is, and where nobody is let in", async () => {
  await inWorld(async ({ role, say }) => {
    strictEqual(await role.ask(never), "silent");
    await say("ready");
    strictEqual(await role.ask(never), "silent");
  });
});

Deno.test("pause() lasts a tenth of a second where no server is", async () => {
  await inWorld(async ({ clock, role }) => {
    await role.pause(never);
    deepStrictEqual(clock.slept, STEPS);
  });
});

Deno.test("pause() ends when the server begins to let clients in", async () => {
  await inWorld(async ({ clock, role, say }) => {
    await say("starting");
    clock.onSleep = (count) => say(count < 3 ? "starting" : "ready");
    await role.pause(never);
    deepStrictEqual(clock.slept, [10, 10, 10]);
  });
});

Deno.test("pause() is not cut short by a server that lets clients in but did not answer", async () => {
  await inWorld(async ({ clock, role, say }) => {
    await say("ready");
    await role.pause(never);
    deepStrictEqual(clock.slept, STEPS);
  });
});
