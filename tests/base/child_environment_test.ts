import { deepStrictEqual } from "node:assert/strict";
import { cleanEnvironment, serverEnvironment } from "../../lib/base/child_environment.ts";

/** Runs `work` with these variables set. */
function withVariables(
  variables: Readonly<Record<string, string>>,
  work: () => Record<string, string>,
): Record<string, string> {
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    return work();
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
}

const SET = {
  PATRONI_SUPERUSER_PASSWORD: "x",
  PATRONI_CONFIGURATION: "x",
  KUBERNETES_SERVICE_HOST: "x",
  NOTIFY_SOCKET: "/run/x",
  AGENT_STATE_DIR: "/x",
  DCS_URL: "etcd3://u:p@h",
  PG_MALLOC_ARENA_MAX: "1",
  TEST_PASSED: "yes",
};

/** What of the variables above a child gets. */
function left(environment: Record<string, string>): Record<string, string> {
  const names = [...Object.keys(SET), "MALLOC_ARENA_MAX"];
  return Object.fromEntries(Object.entries(environment).filter(([name]) => names.includes(name)));
}

Deno.test("cleanEnvironment() passes nothing on that belongs to the agent", () => {
  deepStrictEqual(left(withVariables(SET, cleanEnvironment)), {
    PG_MALLOC_ARENA_MAX: "1",
    TEST_PASSED: "yes",
  });
});

Deno.test("serverEnvironment() gives PostgreSQL its allocator's setting", () => {
  deepStrictEqual(left(withVariables(SET, serverEnvironment)), {
    MALLOC_ARENA_MAX: "1",
    TEST_PASSED: "yes",
  });
});
