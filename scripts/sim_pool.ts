import type { SeedOptions, SeedResult } from "./sim_seed.ts";

/** Seeds that wait inside a worker, so that it never waits for the next one. */
const AHEAD = 4;

/** Which seeds to run, and in how many workers. */
export interface PoolOptions extends SeedOptions {
  readonly first: number;
  readonly seeds: number;
  readonly workers: number;
}

/** The results of all seeds in their order, whichever worker was first. Ends its workers when the reader stops. */
export async function* runInWorkers(options: PoolOptions): AsyncGenerator<SeedResult> {
  const { first, seeds, ticks, level, without, everyMs } = options;
  const results = new Map<number, SeedResult>();
  const endSeed = first + seeds;
  let nextSeed = first;
  let told = Promise.withResolvers<void>();
  const feed = (worker: Worker): void => {
    if (nextSeed === endSeed) return;
    worker.postMessage({ seed: nextSeed++, options: { ticks, level, without, everyMs } });
  };
  const workers = Array.from({ length: options.workers }, () =>
    startWorker((result, worker) => {
      results.set(result.seed, result);
      feed(worker);
      told.resolve();
    }, (error) => told.reject(error)));
  try {
    for (let ahead = 0; ahead < AHEAD; ahead++) workers.forEach(feed);
    for (let seed = first; seed < endSeed; seed++) {
      while (!results.has(seed)) {
        await told.promise;
        told = Promise.withResolvers<void>();
      }
      const result = results.get(seed);
      results.delete(seed);
      if (result !== undefined) yield result;
    }
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

function startWorker(
  onResult: (result: SeedResult, worker: Worker) => void,
  onError: (error: Error) => void,
): Worker {
  const worker = new Worker(import.meta.resolve("./sim_worker.ts"), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<SeedResult>) => onResult(data, worker);
  worker.onerror = (event) => {
    event.preventDefault();
    onError(new Error(`Cannot run a seed: ${event.message}`));
  };
  return worker;
}
