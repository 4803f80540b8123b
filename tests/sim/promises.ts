import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { consenters } from "../../lib/core/failsafe.ts";
import type { PromiseRequest } from "../../lib/core/failsafe.ts";
import type { LeaseTiming } from "../../lib/core/lease_timing.ts";
import type { Memory } from "../../lib/core/memory.ts";
import { mayBePrimary } from "../../lib/core/rules/facts.ts";
import type { Pressure } from "../../lib/runtime/budget.ts";
import { Promises } from "../../lib/runtime/promises.ts";
import type { FailsafeFaults, PromiseKeeper } from "./consents.ts";
import type { Keeper } from "./keeper.ts";
import { clockOf } from "./keeper_ports.ts";
import { leadsByConsents } from "./leads_by_consents.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** A member as far as it promises. */
export interface Promiser {
  readonly name: string;
  readonly server: Server;
  readonly keeper: Keeper;
  readonly lastSeen: ClusterView | null;
  readonly memory: Memory;
  readonly promises: PromiseKeeper;
  readonly timing: LeaseTiming;
  bootMs(): number;
}

/** The promises of a new agent process, the product's where nothing is planted, written down in the ledger of the world. */
export function promisesOf(
  node: Pick<Promiser, "name" | "keeper" | "bootMs">,
  world: World,
): PromiseKeeper {
  const { consentsWhileReaching } = world.plan.planted;
  const ttlMs = (): number => world.timing.ttlMs;
  const promises = new Promises({
    clock: clockOf({ bootMs: () => node.bootMs() }),
    name: node.name,
    ttlMs,
    isReaching: () => !consentsWhileReaching && isReaching(node.keeper),
  });
  return world.consents.watch(node.name, spoilt(promises, world.plan.planted), {
    trueMs: () => world.scheduler.nowMs,
    ttlMs,
    holds: () => node.keeper.claim.lease().kind === "held",
    isRelied: (to) => leadsByConsents(world.node(to)),
    broken: (why) => world.checks.promiseBroken(node.name, why),
  });
}

function isReaching({ claim }: Keeper): boolean {
  return claim.kind() === "held" || claim.kind() === "asked";
}

/** The same promises with what is planted in them. */
export function spoilt(promises: PromiseKeeper, faults: FailsafeFaults): PromiseKeeper {
  let isFirst = true;
  return {
    view: () => faults.forgetsPromise ? null : promises.view(),
    whyNotTake: () => faults.forgetsPromise ? null : promises.whyNotTake(),
    give: (request) => promises.give(request),
    asksOthers: () => promises.asksOthers(),
    forget: (untilMs) => {
      if (faults.forgetsByOldAnswers) promises.asksOthers();
      promises.forget(untilMs);
    },
    looked: (cluster, askedMs) => {
      const hidesList = isFirst && faults.startsUnbound === true;
      isFirst = false;
      const seen = hidesList ? { ...cluster, failsafe: null } : cluster;
      promises.looked(seen, faults.forgetsByOldLook ? Infinity : askedMs);
    },
  };
}

/** What bounds the requests of this moment. */
export function pressureOf({ settings }: World, node: Promiser): Pressure {
  const { keeper, lastSeen, memory, name, timing } = node;
  const needsConsents = lastSeen !== null &&
    consenters(lastSeen, memory.failsafeWrites, name) !== null;
  const stopAtMs = keeper.stopAtMs();
  return { nowMs: node.bootMs(), stopAtMs, settings, timing, needsConsents };
}

/** What the API of a member answers: null is a consent. */
export function consentOf(
  { lastSeen, memory, promises, server }: Promiser,
  request: PromiseRequest,
): string | null {
  if (lastSeen === null) return "nothing is known of the cluster";
  if (!lastSeen.settings.failsafeMode) return "failsafe mode is disabled";
  if (mayBePrimary(server.view([]), memory)) return "Running as a leader";
  return promises.give(request);
}
