import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { JsonObject } from "../../lib/base/json.ts";
import { readRestart } from "../../lib/core/restart_request.ts";

const WALL_MS = Date.parse("2026-01-01T10:00:00Z");
const AT = "2030-05-01T02:00:00+00:00";
const UNREADABLE =
  "Unable to parse scheduled timestamp. It should be in an unambiguous format, e.g. ISO 8601";
const ROLES = "PostgreSQL role should be either primary, standby_leader, or replica";
const FORM = "Invalid PostgreSQL version format: X.Y or X.Y.Z is accepted";
const TIMEOUT = "Timeout should be a positive number of seconds";

function read(body: JsonObject, isPaused = false): unknown {
  const verdict = readRestart(body, { isPaused, wallMs: WALL_MS });
  return verdict.kind === "refused" ? [verdict.status, verdict.text] : verdict.order;
}

const REFUSALS: readonly (readonly [JsonObject, number, string])[] = [
  [
    { schedule: "2030-05-01T02:00" },
    400,
    "Timezone information is mandatory for the scheduled restart",
  ],
  [{ schedule: "2026-01-01T09:59:59Z" }, 422, "Cannot schedule restart in the past"],
  [{ schedule: "soon" }, 422, UNREADABLE],
  [{ schedule: null }, 422, UNREADABLE],
  [{ role: "leader" }, 400, ROLES],
  [{ role: null }, 400, ROLES],
  [{ postgres_version: "fifteen" }, 400, "Invalid PostgreSQL version: fifteen"],
  [{ postgres_version: "" }, 400, "Invalid PostgreSQL version: "],
  [{ postgres_version: "15" }, 400, `${FORM}: 15`],
  [{ postgres_version: "9.6" }, 400, `${FORM}: 9.6`],
  [{ postgres_version: "1.2.3.4" }, 400, `${FORM}: 1.2.3.4`],
  [{ timeout: "soon" }, 400, TIMEOUT],
  [{ timeout: 0 }, 400, TIMEOUT],
  [{ timeout: -1 }, 400, TIMEOUT],
  [{ timeout: "500ms" }, 400, TIMEOUT],
  [{ when: 1 }, 400, "Unknown filter for the scheduled restart: when"],
  [{ timeout: 0, role: "x" }, 400, TIMEOUT],
  [{ role: "x", timeout: 0 }, 400, ROLES],
];

for (const [body, status, text] of REFUSALS) {
  Deno.test(`F8 readRestart() refuses ${JSON.stringify(body)}`, () => {
    deepStrictEqual(read(body), [status, text]);
  });
}

Deno.test("readRestart() schedules nothing in maintenance mode, whatever the value", () => {
  const expected = [500, "Can't schedule restart in the paused state"];
  deepStrictEqual(read({ role: "x", schedule: AT }, true), expected);
  deepStrictEqual(read({ schedule: "soon" }, true), expected);
});

const NOTHING = { role: null, olderThan: null, pendingOnly: false };

Deno.test("readRestart() takes an empty body: restart now, whatever is found", () => {
  const order = { conditions: NOTHING, timeoutS: null, atMs: null, shown: {} };
  deepStrictEqual(read({}), order);
  deepStrictEqual(read({}, true), order);
});

Deno.test("readRestart() takes every filter, and publishes what was sent with whole seconds", () => {
  const body = {
    schedule: AT,
    role: "replica",
    postgres_version: "15.20",
    timeout: "2min",
    restart_pending: false,
  };
  deepStrictEqual(read(body), {
    conditions: { role: "replica", olderThan: 150020, pendingOnly: true },
    timeoutS: 120,
    atMs: Date.parse(AT),
    shown: { ...body, timeout: 120 },
  });
  deepStrictEqual(read({ postgres_version: "9.6.24", timeout: "30" }), {
    conditions: { ...NOTHING, olderThan: 90624 },
    timeoutS: 30,
    atMs: null,
    shown: { postgres_version: "9.6.24", timeout: 30 },
  });
});

Deno.test("readRestart() answers any body", () => {
  const keys = fc.constantFrom("schedule", "role", "postgres_version", "timeout", "x");
  fc.assert(fc.property(fc.dictionary(keys, fc.jsonValue()), (body) => {
    read(JSON.parse(JSON.stringify(body)));
  }));
});
