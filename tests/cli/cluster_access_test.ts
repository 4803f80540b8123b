import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import { tellingSlow } from "../../lib/cli/cluster_access.ts";
import { cluster } from "../core/builders.ts";
import { world } from "./faces.ts";

const { signal } = new AbortController();

Deno.test("tellingSlow() tells once on stderr that the store is waited for, while it is", async () => {
  const { context, out, err } = world();
  const told = Promise.withResolvers<void>();
  const write = async (text: string): Promise<void> => {
    await context.output.err(text);
    told.resolve();
  };
  const read = tellingSlow(
    () => told.promise.then(() => Promise.reject(new DcsUnreachable("Cannot ask etcd"))),
    { output: { ...context.output, err: write }, clock: context.clock },
  );

  await rejects(read(signal), DcsUnreachable);
  await rejects(read(signal), DcsUnreachable);

  match(err.join(""), /^etcd: no answer within 3 s, waiting 7 s more\n$/);
  deepStrictEqual(out, []);
});

Deno.test("tellingSlow() says nothing of a look that is answered in time", async () => {
  const { context, err } = world();
  const sleep = (_ms: number, end?: AbortSignal): Promise<void> =>
    new Promise((resolve) => end?.addEventListener("abort", () => resolve()));
  const view = cluster();
  const read = tellingSlow(() => Promise.resolve(view), {
    output: context.output,
    clock: { ...context.clock, sleep },
  });

  strictEqual(await read(signal), view);
  deepStrictEqual(err, []);
});
