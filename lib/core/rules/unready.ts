import type { Action } from "../action.ts";
import { successors } from "../candidate.ts";
import type { ClusterView } from "../cluster_view.ts";
import type { Memory } from "../memory.ts";
import { mayBePromoted } from "../memory.ts";
import type { NodeView } from "../node_view.ts";
import { watchdogObstacle } from "../watchdog.ts";
import { authorityEndsMs, isPaused, leaseEnded, lockSide, mayBePrimary } from "./facts.ts";
import { cleanEnd } from "./guards.ts";
import { act, actAndLook } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { demote, stopInOrder } from "./stopping.ts";

const HOLD: Action = { kind: "hold-lock" };

/** The lock carries our name, but the lease under it ended or is not ours: nobody may lead with it. */
export const leaseLost: Rule = {
  name: "lease-lost",
  when: "the lock carries this node's name, but its lease ended",
  answer: (view, memory): Answer | null => {
    if (lockSide(view) !== "me" || authorityEndsMs(view, memory) !== null) return null;
    if (!leaseEnded(view, memory)) {
      return act("the lock carries my name; waiting for the proof that it is mine", [
        { kind: "hold-lock" },
      ]);
    }
    const why = "the lease has ended: giving up leadership";
    if (mayBePrimary(view.postgres, memory)) return act(why, [demote(view, memory, why)]);
    return act(why, [{ kind: "release-lock", lastLsn: cleanEnd(view) }]);
  },
};

/** A leader runs its watchdog before its server may write; where one is required and not to be had, it does not lead (E1). */
export const watchdogGuard: Rule = {
  name: "watchdog",
  when: "this node holds the lock and its watchdog does not run",
  answer: (view, memory): Answer | null => {
    if (lockSide(view) !== "me" || authorityEndsMs(view, memory) === null) return null;
    if (isPaused(view, memory)) return null;
    if (view.watchdog?.kind === "ready") {
      // The next tick, at once: this one may have used up its rounds on the way to the lock.
      const open: Action = { kind: "open-watchdog" };
      return act("opening the watchdog before leading", [HOLD, open], view.nowMs);
    }
    const obstacle = watchdogObstacle(view.watchdog);
    if (obstacle === null) return null;
    const why = `the watchdog is required and cannot be used: ${obstacle}`;
    if (mayBePrimary(view.postgres, memory)) return act(why, [HOLD, stopInOrder("fast", why)]);
    return act(why, [{ kind: "release-lock", lastLsn: null }]);
  },
};

/** A server that does not answer or accepts no connections yet: patience under the lock, a stop without it. */
export const unready: Rule = {
  name: "unready",
  when: "the server runs but cannot be asked",
  answer: (view, memory): Answer | null => {
    const { cluster, postgres } = view;
    if (cluster.kind !== "seen") return null;
    if (postgres.kind !== "starting" && postgres.kind !== "silent") return null;
    const endsMs = authorityEndsMs(view, memory);
    if (endsMs === null) return unreadyWithoutLock(view, memory);
    const sinceMs = postgres.kind === "starting" ? postgres.sinceMs : view.nowMs;
    const limitMs = cluster.settings.primaryStartTimeoutS * 1000;
    if (view.nowMs - sinceMs > limitMs) return giveUpStarting(view, cluster, endsMs);
    const why = `the server is ${postgres.kind}; keeping the lock`;
    return act(why, [HOLD], endsMs);
  },
};

function giveUpStarting(view: NodeView, cluster: ClusterView, endsMs: number): Answer {
  if (view.peers === "not asked") {
    return actAndLook("the start takes too long: asking who could take over", [
      HOLD,
      { kind: "ask-peers" },
    ]);
  }
  if (successors(cluster, view.peers, { only: null, except: null }).length === 0) {
    return act("the start takes long, but nobody could take over", [HOLD], endsMs);
  }
  const why = "the start takes too long and a replica can take over";
  return act(why, [HOLD, stopInOrder("immediate", why)], endsMs);
}

function unreadyWithoutLock(view: NodeView, memory: Memory): Answer {
  if (!mayBePrimary(view.postgres, memory)) {
    return act(`the replica is ${view.postgres.kind}`, []);
  }
  const why = "the server may be a primary, but this node does not hold the lock";
  return act(why, [demote(view, memory, why)]);
}

/**
 * Replay has paused because settings are smaller than the source's: nothing but a restart goes on with it, and until then
 * such a server cannot be promoted either. It is stopped in order; what brings it back gives it at least what its WAL
 * needs. While nobody leads, the race comes first: who has most WAL must not be away from it.
 */
export const tooSmall: Rule = {
  name: "too-small",
  when: "replay has paused because settings are too small",
  answer: (view, memory): Answer | null => {
    const { cluster, postgres } = view;
    if (cluster.kind !== "seen" || postgres.kind !== "replica") return null;
    const settings = Object.entries(postgres.tooSmall ?? {});
    if (settings.length === 0) return null;
    const endsMs = authorityEndsMs(view, memory);
    const mayStop = endsMs !== null ||
      lockSide(view) === "other" && !mayBePromoted(memory) && !isPaused(view, memory);
    if (!mayStop) return null;
    const names = settings.map(([name, { oldValue, newValue }]) =>
      `${name} is ${oldValue} and must be ${newValue}`
    );
    const why = `replay has paused: ${names.join(", ")}; restarting the replica`;
    const hold: readonly Action[] = endsMs === null ? [] : [{ kind: "hold-lock" }];
    return act(why, [...hold, stopInOrder("fast", why)], endsMs);
  },
};
