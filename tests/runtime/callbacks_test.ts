import { deepStrictEqual } from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import type { CallbackFacts, CallbackKind } from "../../lib/core/callbacks.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import type { RunningHook, StartHook } from "../../lib/host/port.ts";
import { Callbacks } from "../../lib/runtime/callbacks.ts";
import { nodeView, NOW_MS, primary, replicaView } from "../core/builders.ts";
import { settle } from "./fakes.ts";

/** Programs that run until they are killed or told to end. */
class FakePrograms {
  readonly events: string[] = [];
  readonly #ends: (() => void)[] = [];

  readonly start: StartHook = (words): RunningHook => {
    const name = words.join(" ");
    const { promise, resolve } = Promise.withResolvers<number>();
    this.events.push(`start ${name}`);
    this.#ends.push(() => resolve(0));
    const kill = (): Promise<void> => {
      this.events.push(`kill ${name}`);
      resolve(143);
      return Promise.resolve();
    };
    return { ended: promise, kill };
  };

  endAll(): void {
    for (const end of this.#ends) end();
  }
}

function setup(...kinds: readonly CallbackKind[]): { callbacks: Callbacks; made: FakePrograms } {
  const made = new FakePrograms();
  const commands = Object.fromEntries(kinds.map((kind) => [kind, ["/hook", "x"]]));
  const options = { commands, scope: "demo", start: made.start, log: silentLog };
  return { callbacks: new Callbacks(options), made };
}

function round(view: NodeView, more: Partial<CallbackFacts> = {}): CallbackFacts {
  return { view, memory: initialMemory, outcomes: [], ...more };
}

const reload: Partial<CallbackFacts> = {
  memory: { ...initialMemory, appliedSettings: defaultSettings },
  outcomes: [{
    action: { kind: "apply-settings", settings: defaultSettings },
    result: "done",
    reason: null,
    atMs: NOW_MS,
  }],
};

Deno.test("look() starts the program with action, role and scope", async () => {
  const { callbacks, made } = setup("on_start");
  callbacks.look(round(nodeView()));
  await settle();
  deepStrictEqual(made.events, ["start /hook x on_start primary demo"]);
});

Deno.test("look() ends the running program before it starts the next, case I9", async () => {
  const { callbacks, made } = setup("on_start", "on_role_change");
  callbacks.look(round(replicaView()));
  await settle();
  callbacks.look(round(nodeView()));
  await settle();
  deepStrictEqual(made.events, [
    "start /hook x on_start replica demo",
    "kill /hook x on_start replica demo",
    "start /hook x on_role_change primary demo",
  ]);
});

Deno.test("look() runs only the newest of several that wait", async () => {
  const { callbacks, made } = setup("on_role_change");
  callbacks.look(round(replicaView()));
  callbacks.look(round(nodeView()));
  callbacks.look(round(replicaView()));
  await settle();
  deepStrictEqual(made.events, ["start /hook x on_role_change replica demo"]);
});

Deno.test("look() does not end a finished program, nor any by a reload", async () => {
  const { callbacks, made } = setup("on_start", "on_reload", "on_restart");
  callbacks.look(round(nodeView()));
  await settle();
  callbacks.look(round(nodeView(), reload));
  await settle();
  made.endAll();
  await settle();
  callbacks.look(round(nodeView({ postgres: primary({ startTime: "later" }) })));
  await settle();
  deepStrictEqual(made.events.filter((event) => event.startsWith("kill")), []);
  deepStrictEqual(made.events.length, 3);
});

Deno.test("look() passes over what is not configured", async () => {
  const { callbacks, made } = setup("on_stop");
  callbacks.look(round(nodeView()));
  await settle();
  deepStrictEqual(made.events, []);
});

Deno.test("drain() waits for the running program, or for its signal", async () => {
  const { callbacks, made } = setup("on_start");
  callbacks.look(round(nodeView()));
  await settle();
  await callbacks.drain(AbortSignal.abort());
  const drained = callbacks.drain(new AbortController().signal);
  made.endAll();
  await drained;
});
