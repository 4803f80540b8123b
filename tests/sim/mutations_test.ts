import type { Catch } from "./catch.ts";
import { ALL_MUTATIONS, ALL_SHELL_MUTATIONS, catchOf, shellCatchOf } from "./catch.ts";

/** The name of the step is what tells the seed. */
async function tell(context: Deno.TestContext, caught: Catch | null): Promise<void> {
  if (caught === null) throw new Error("Cannot find it: no seed broke a promise");
  const { seed, violation } = caught;
  await context.step(`seed ${seed}: ${violation.kind} at ${violation.node}`, () => {});
}

for (const mutation of ALL_MUTATIONS) {
  Deno.test(`simulate() finds the planted bug that ${mutation.name}`, async (context) => {
    await tell(context, catchOf(mutation));
  });
}

for (const mutation of ALL_SHELL_MUTATIONS) {
  Deno.test(`simulateShell() finds the planted bug that ${mutation.name}`, async (context) => {
    await tell(context, await shellCatchOf(mutation));
  });
}
