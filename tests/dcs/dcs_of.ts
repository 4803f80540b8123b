import { systemClock } from "../../lib/base/clock.ts";
import { EtcdDcs } from "../../lib/dcs/etcd/etcd_dcs.ts";
import type { EtcdDcsOptions } from "../../lib/dcs/etcd/etcd_dcs.ts";
import type { FakeGateway } from "./fake_gateway.ts";

/** Milliseconds that one fake endpoint may take. */
export const ENDPOINT_MS = 150;

/** The store under test, on these fakes. */
export function dcsOf(fakes: readonly FakeGateway[], parts: Partial<EtcdDcsOptions> = {}): EtcdDcs {
  return new EtcdDcs({
    endpoints: fakes.map((fake) => fake.url),
    username: null,
    password: null,
    scope: "demo",
    namespace: "/service/",
    endpointMs: () => ENDPOINT_MS,
    clock: systemClock,
    ...parts,
  });
}

/** A deadline that no good path reaches. */
export const ample = (): AbortSignal => AbortSignal.timeout(10_000);

/** A deadline for paths that must try until it ends. */
export const brief = (): AbortSignal => AbortSignal.timeout(250);
