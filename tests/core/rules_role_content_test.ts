import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Action } from "../../lib/core/action.ts";
import { decide } from "../../lib/core/decide.ts";
import { evolve, initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { decodeSettings, defaultSettings } from "../../lib/core/settings.ts";
import type { Settings } from "../../lib/core/settings.ts";
import { cluster, lsn, nodeView, primary, replicaView, self, slot } from "./builders.ts";

function settingsOf(postgresql: Readonly<Record<string, string | object>>): Settings {
  const decoded = decodeSettings(JSON.parse(JSON.stringify({ postgresql })));
  if ("fault" in decoded) throw new TypeError(decoded.fault);
  return decoded.settings;
}

const CONTENT = settingsOf({ pg_hba_replica: ["local all all trust"] });
const STATUS = {
  lsn: lsn(1000),
  slots: { a: lsn(1000), b: lsn(500), c: lsn(500) },
  retainSlots: [],
};

function leading(settings: Settings, overrides: Partial<NodeView> = {}): NodeView {
  const postgres = primary({ slots: [slot("b"), slot("c")] });
  return nodeView({ cluster: cluster({ status: STATUS, settings }), postgres, ...overrides });
}

function following(settings: Settings): NodeView {
  return replicaView({ cluster: cluster({ lock: "b", settings }) });
}

function applied(view: NodeView, memory: Memory): readonly Action[] {
  return decide(view, memory).actions.filter(({ kind }) => kind === "apply-settings");
}

function done(memory: Memory, actions: readonly Action[]): Memory {
  return actions.reduce<Memory>(
    (now, action) => evolve(now, { action, result: "done", reason: null, atMs: 0 }),
    memory,
  );
}

const KNOWS = (settings: Settings): Memory => ({
  ...initialMemory,
  appliedSettings: settings,
  lastSettings: settings,
});

Deno.test("files that differ by role are written anew when the role changes, and once", () => {
  const asReplica: Memory = { ...KNOWS(CONTENT), appliedRole: "replica" };
  const first = applied(leading(CONTENT), asReplica);
  deepStrictEqual(first, [{ kind: "apply-settings", settings: CONTENT, role: "primary" }]);
  deepStrictEqual(applied(leading(CONTENT), done(asReplica, first)), []);
  deepStrictEqual(applied(following(CONTENT), asReplica), []);
  strictEqual(applied(following(CONTENT), done(asReplica, first)).length, 1);
});

Deno.test("content of the local file counts as that of the cluster", () => {
  const view = leading(defaultSettings, { self: self({ hasRoleContent: true }) });
  deepStrictEqual(applied(view, KNOWS(defaultSettings)), [
    { kind: "apply-settings", settings: defaultSettings, role: "primary" },
  ]);
});

Deno.test("a change of the role changes no file where roles have no content", () => {
  const memory = done(KNOWS(defaultSettings), applied(following(defaultSettings), initialMemory));
  deepStrictEqual(applied(leading(defaultSettings), memory), []);
});

Deno.test("an order that did not end well is repeated", () => {
  const memory: Memory = { ...KNOWS(CONTENT), appliedRole: "replica" };
  const [action] = applied(leading(CONTENT), memory);
  if (action === undefined) throw new TypeError("nothing was ordered");
  const after = evolve(memory, { action, result: "unknown", reason: "late", atMs: 0 });
  strictEqual(applied(leading(CONTENT), after).length, 1);
});

Deno.test("decodeSettings() reads content by role, without what all members share", () => {
  const found = settingsOf({
    parameters_primary: { work_mem: "8MB", Max_Connections: 200, port: 1 },
    pg_ident_replica: ["m a b"],
    pg_hba_standby_leader: ["local all all trust"],
  });
  deepStrictEqual(found.byRole, {
    primary: { parameters: { work_mem: "8MB" }, pgHba: null, pgIdent: null },
    replica: { parameters: {}, pgHba: null, pgIdent: ["m a b"] },
  });
  strictEqual(found.warnings.length, 3);
});

Deno.test("decodeSettings() has no content by role unless there is some", () => {
  strictEqual(settingsOf({ parameters_primary: {} }).byRole, undefined);
});
