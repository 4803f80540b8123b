import type { Dcs } from "../../lib/dcs/port.ts";

/** A store with one cluster for each scope, and a hand that changes keys from outside. */
export interface StoreWorld {
  dcsOf(scope: string): Dcs;
  /** Writes a key by its full name, without a lease, as another program would. */
  put(key: string, value: string): Promise<void>;
  remove(key: string): Promise<void>;
}

/** One promise of the port; each uses a scope of its own, so that all can share one store. */
export interface Promised {
  readonly title: string;
  readonly run: (world: StoreWorld) => Promise<void>;
}

/** A deadline that no promise reaches. */
export const noSignal = (): AbortSignal => AbortSignal.timeout(10_000);

/** Waits for a condition, at most 10 s. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const endsMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > endsMs) throw new Error(`Cannot see ${what}: not within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
