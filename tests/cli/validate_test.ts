import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { ConfigError } from "../../lib/base/errors.ts";
import { validate } from "../../lib/cli/validate.ts";
import { world } from "./faces.ts";

const SAMPLE = new URL("../../patroni.yml", import.meta.url).pathname;

Deno.test("validate() prints what is in force, without secrets", async () => {
  const { context, out, err } = world();
  const code = await validate(context.output, { path: SAMPLE, env: {}, print: true });

  deepStrictEqual([code, err], [0, []]);
  ok(out.join("").includes("scope: demo"));
  ok(!out.join("").includes("change-me"));
});

Deno.test("validate() tells remarks on stderr and prints nothing unless asked", async () => {
  const { context, out, err } = world();
  const env = { PATRONI_CTL_INSECURE: "on", PATRONI_THREAD_POOL_SIZE: "5" };
  await validate(context.output, { path: SAMPLE, env, print: false });

  deepStrictEqual([out.length, err.length], [0, 2]);
});

Deno.test("validate() throws ConfigError for a file that cannot be used", async () => {
  const { context } = world();

  await rejects(
    validate(context.output, { path: "/no/file", env: {}, print: true }),
    ConfigError,
  );
});

Deno.test("validate() throws ConfigError for a certificate that cannot be used", async () => {
  const { context } = world();
  const env = { PATRONI_RESTAPI_CERTFILE: "/no/cert", PATRONI_REPLICATION_SSLCERT: "/no/other" };
  const error = await validate(context.output, { path: SAMPLE, env, print: true })
    .catch((fault: unknown) => fault);

  ok(error instanceof ConfigError);
  deepStrictEqual(error.faults.map(({ path }) => path), [
    "restapi.certfile",
    "postgresql.authentication.replication.sslcert",
  ]);
});
