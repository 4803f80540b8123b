import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { FreshServer } from "../../lib/api/fresh_server.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { PostgresView } from "../../lib/core/node_view.ts";
import { primary } from "../core/builders.ts";

const log = silentLog;

Deno.test("look() gives readers that come together the answer of one look", async () => {
  let looks = 0;
  const probe = (): Promise<PostgresView> => Promise.resolve(primary({ timeline: ++looks }));
  const server = new FreshServer({ probe, log });
  const [one, other] = await Promise.all([server.look(), server.look()]);
  const later = await server.look();

  deepStrictEqual([one, other, later], [
    primary({ timeline: 1 }),
    primary({ timeline: 1 }),
    primary({ timeline: 2 }),
  ]);
});

Deno.test("look() gives up in time when the server hangs, and starts no second look", async () => {
  const hung = Promise.withResolvers<PostgresView>();
  let looks = 0;
  const probe = (): Promise<PostgresView> => {
    looks++;
    return hung.promise;
  };
  const server = new FreshServer({ probe, log }, 5);

  deepStrictEqual([await server.look(), await server.look(), looks], [null, null, 1]);
  hung.resolve(primary());
});

Deno.test("look() is nothing when the look fails or nobody can look", async () => {
  const probe = (): Promise<PostgresView> => Promise.reject(new TypeError("broken"));

  strictEqual(await new FreshServer({ probe, log }).look(), null);
  strictEqual(await new FreshServer({ probe: null, log }).look(), null);
});
