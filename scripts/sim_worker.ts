/// <reference lib="deno.worker" />
import type { SeedOptions } from "./sim_seed.ts";
import { runSeed } from "./sim_seed.ts";

/** Runs the seeds that it is given, one after the other, and answers each with its result. */
self.onmessage = async (
  { data }: MessageEvent<{ readonly seed: number; readonly options: SeedOptions }>,
): Promise<void> => {
  self.postMessage(await runSeed(data.seed, data.options, null));
};
