import type { Action } from "../action.ts";
import { answered, handoverDue, successors } from "../candidate.ts";
import type { Due } from "../candidate.ts";
import type { ClusterView, HandoverWish } from "../cluster_view.ts";
import type { Lsn } from "../lsn.ts";
import type { Memory } from "../memory.ts";
import type { NodeView } from "../node_view.ts";
import { asksForHistory, historyBeforeStop } from "./history.ts";
import { askHeirs, verified } from "./early_release.ts";
import { authorityEndsMs, hasEnded, isPaused } from "./facts.ts";
import { cleanEnd } from "./guards.ts";
import { act, actAndLook } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { stopInOrder } from "./stopping.ts";

const HOLD: Action = { kind: "hold-lock" };

/** A leader is asked to hand over: it checks that somebody can take over, and only then stops the server. */
export const handover: Rule = {
  name: "handover",
  when: "this node leads and an operator wants another leader now",
  answer: (view, memory): Answer | null => {
    const { cluster, postgres } = view;
    const endsMs = authorityEndsMs(view, memory);
    if (cluster.kind !== "seen" || postgres.kind !== "primary" || endsMs === null) return null;
    const wish = cluster.handover;
    if (wish === null) return null;
    const due = handoverDue(wish, view.wallMs, cluster.settings.loopWaitS);
    const paused = isPaused(view, memory);
    if (due.kind === "later" || paused && wish.scheduledAtMs !== null) return null;
    const obstacle = obstacleOf(view, wish, due);
    if (obstacle !== null) return drop(wish, obstacle);
    if (paused && wish.candidate === null) {
      return drop(wish, "maintenance mode needs a named candidate");
    }
    return view.peers === "not asked"
      ? actAndLook("a handover is wished: asking who can take over", [HOLD, { kind: "ask-peers" }])
      : handOver(view, memory, { cluster, wish });
  },
};

/** Cases M2, M4 and M5: a request that has been carried out, is for somebody else, or came too late. */
function obstacleOf(view: NodeView, wish: HandoverWish, due: Due): string | null {
  const me = view.self.name;
  if (wish.leader !== null && wish.leader !== me) return `its leader is ${wish.leader}`;
  if (wish.candidate === me) return "this node leads already";
  return due.kind === "stale" ? "its time has passed" : null;
}

function drop(wish: HandoverWish, why: string): Answer {
  return actAndLook(`dropping the handover request: ${why}`, [
    HOLD,
    { kind: "clear-handover", revision: wish.revision },
  ]);
}

interface Wished {
  readonly cluster: ClusterView;
  readonly wish: HandoverWish;
}

function handOver(view: NodeView, memory: Memory, { cluster, wish }: Wished): Answer {
  const peers = view.peers === "not asked" ? [] : view.peers;
  const able = successors(cluster, peers, { only: wish.candidate, except: null });
  if (able.length === 0) return drop(wish, "nobody can take over");
  const history = historyBeforeStop(view, memory);
  if (asksForHistory(history)) {
    return actAndLook("reading the own timeline history before the handover", [HOLD, ...history]);
  }
  const why = `handing over to ${wish.candidate ?? able.join(" or ")}`;
  return act(why, [HOLD, stopInOrder("fast", why), ...history]);
}

/** A server that was stopped so that another member takes over. */
export interface StoppedForHandover {
  readonly wish: HandoverWish;
  /** The shutdown checkpoint: what comes after everything that was ever acknowledged here. */
  readonly end: Lsn;
}

/** What the server was stopped for, null when for nothing. A stop that lasted beyond the time of a scheduled request was still made for it. */
export function stoppedForHandover(
  view: NodeView,
  cluster: ClusterView,
): StoppedForHandover | null {
  const wish = cluster.handover;
  const end = cleanEnd(view);
  if (wish === null || end === null || wish.candidate === view.self.name) return null;
  if (wish.leader !== null && wish.leader !== view.self.name) return null;
  const due = handoverDue(wish, view.wallMs, cluster.settings.loopWaitS);
  const isDue = due.kind === "now" || due.kind === "stale" && hasEnded(view, "stop", "done");
  return isDue ? { wish, end } : null;
}

/** The lock goes only when somebody who may take it has all that was written here: a handover loses nothing. */
export function finishHandover(
  view: NodeView,
  cluster: ClusterView,
  { wish, end }: StoppedForHandover,
): Answer {
  if (view.peers === "not asked") {
    const asking = "the server is stopped: asking who has all that it wrote";
    return actAndLook(asking, [HOLD, askHeirs(cluster)]);
  }
  const able = successors(cluster, view.peers, { only: wish.candidate, except: null });
  if (answered(view.peers).some((peer) => able.includes(peer.name) && peer.lsn >= end)) {
    return act("the server is stopped: releasing the lock for the handover", [
      { kind: "release-lock", lastLsn: end, ...verified(wish) },
    ]);
  }
  return actAndLook("dropping the handover request: nobody who may lead has all that was written", [
    HOLD,
    { kind: "clear-handover", revision: wish.revision },
  ]);
}
