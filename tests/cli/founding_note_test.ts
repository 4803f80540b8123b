import { strictEqual } from "node:assert/strict";
import type { JsonObject } from "../../lib/base/json.ts";
import { foundingNote } from "../../lib/cli/founding_note.ts";
import { cluster } from "../core/builders.ts";
import { configOf } from "../config/files.ts";

function noteFor(first: JsonObject, now: JsonObject | null): string | null {
  const config = now === null ? null : { raw: now, revision: 1n };
  return foundingNote(configOf(["bootstrap", { dcs: first }]), cluster({ config }));
}

Deno.test("foundingNote() names what a cluster has otherwise than bootstrap.dcs", () => {
  const first = { ttl: 30, postgresql: { parameters: { max_connections: 100, jit: false } } };
  const now = { ttl: 20, postgresql: { parameters: { max_connections: 100 } }, pause: true };

  strictEqual(
    noteFor(first, now),
    "bootstrap.dcs counts only when a cluster is founded; this one has other values for ttl, " +
      "postgresql.parameters.jit",
  );
});

Deno.test("foundingNote() says nothing before the founding, and where nothing differs", () => {
  strictEqual(noteFor({ ttl: 30 }, null), null);
  strictEqual(noteFor({ ttl: 30 }, { ttl: 30, loop_wait: 10 }), null);
  strictEqual(foundingNote(configOf(), cluster()), null);
});
