import { deepStrictEqual } from "node:assert/strict";
import { settingsAtFirst } from "../../lib/cli/adapters.ts";
import { configOf } from "../config/files.ts";

const config = configOf(["bootstrap.dcs", { ttl: 20, loop_wait: 5, retry_timeout: 7 }]);

Deno.test("settingsAtFirst() has the ttl of the lease that the process before has left", () => {
  const ttls = [null, 5, 60, 1.5, 3].map((ttlS) => {
    return settingsAtFirst(config, ttlS === null ? null : { ttlS }).ttlS;
  });
  deepStrictEqual(ttls, [20, 5, 60, 5, 5]);
});
