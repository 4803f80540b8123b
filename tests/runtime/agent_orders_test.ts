import { deepStrictEqual } from "node:assert/strict";
import { newOperation } from "../../lib/core/operations.ts";
import { founded, signal } from "./agent_world.ts";
import { settle } from "./fakes.ts";

Deno.test("tick() carries an ordered restart of the leader to its end under one lock, and says so", async () => {
  const made = founded();
  for (let tick = 0; tick < 3; tick++) {
    await made.agent.tick(signal);
    await settle();
  }
  const lease = made.dcs.store.lock?.lease;
  made.postgres.calls.length = 0;
  made.board.begin(newOperation({ id: "o1", kind: "restart", member: "a", askedMs: 0 }));
  const conditions = { role: null, olderThan: null, pendingOnly: false };
  made.mailbox.post({ kind: "restart", id: "o1", conditions, timeoutS: null, schedule: null });
  const states: unknown[] = [];
  for (let tick = 0; tick < 4; tick++) {
    await made.agent.tick(signal);
    await settle();
    states.push(made.board.state().operations[0]?.state);
  }

  const server = made.postgres.calls.filter((call) => ["stop", "start-primary"].includes(call));
  deepStrictEqual(server, ["stop", "start-primary"]);
  deepStrictEqual(states, ["running", "running", "done", "done"]);
  deepStrictEqual(made.mailbox.wishes(), []);
  deepStrictEqual([made.dcs.store.lock?.value, made.dcs.store.lock?.lease], ["a", lease]);
});
