import type { Decision } from "../../lib/core/action.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { LeaseKeeper } from "../../lib/runtime/lease_keeper.ts";
import type { LeaseKeeperOptions } from "../../lib/runtime/lease_keeper.ts";
import type { LeaseSwitch } from "../../lib/runtime/lease_switch.ts";
import { productBrain } from "./brain.ts";
import type { Mutation } from "./mutations.ts";
import type { ShellMutation } from "./mutations_shell.ts";
import type { FaultKind } from "./plan.ts";

/** Planted bugs of maintenance mode: in some case an agent does not know of it, or goes on believing in it. */
export const PAUSE_MUTATIONS: readonly Mutation[] = [
  blind("maintenance mode is not known", [], () => true),
  blind("a primary stops in maintenance mode without the store", ["store-down"], (view) => {
    return view.cluster.kind === "unreachable";
  }),
  blind("a replica races in maintenance mode", ["agent-kill"], (view) => {
    return view.postgres.kind === "replica" && view.cluster.kind === "seen" &&
      view.cluster.lock === null;
  }),
  blind("a server that is down is started in maintenance mode", ["server-crash"], (view) => {
    return view.postgres.kind === "down";
  }),
  blind("a copy is made in maintenance mode", ["clone-fails", "host-kill"], (view) => {
    return view.postgres.kind === "no-data" || view.postgres.kind === "unreadable";
  }),
  blind("a primary without the lock is stopped in maintenance mode", ["agent-kill"], (view) => {
    return view.postgres.kind === "primary" && view.lease.kind !== "held";
  }),
  believing("the end of maintenance mode is not noticed by a primary", ["store-cut"]),
];

function blind(
  name: string,
  needs: readonly FaultKind[],
  isBlind: (view: NodeView) => boolean,
): Mutation {
  return changed(name, needs, (view) => isBlind(view) ? inMode(view, false) : view);
}

/** What was seen once is believed for ever. */
function believing(name: string, needs: readonly FaultKind[]): Mutation {
  const paused = new Set<string>();
  return changed(name, needs, (view) => {
    if (view.cluster.kind === "seen" && view.cluster.settings.paused) paused.add(view.self.name);
    if (view.postgres.kind !== "primary" || !paused.has(view.self.name)) return view;
    return inMode(view, true);
  });
}

function changed(
  name: string,
  needs: readonly FaultKind[],
  change: (view: NodeView) => NodeView,
): Mutation {
  const decide = (view: NodeView, memory: Memory): Decision =>
    productBrain.decide(change(view), memory);
  return { name, needs: [...needs, "pause"], planted: {}, brain: { ...productBrain, decide } };
}

function inMode(view: NodeView, paused: boolean): NodeView {
  const { cluster } = view;
  const change = (seen: ClusterView): ClusterView => ({
    ...seen,
    settings: { ...seen.settings, paused },
  });
  if (cluster.kind === "seen") return { ...view, cluster: change(cluster) };
  const lastSeen = cluster.lastSeen && change(cluster.lastSeen);
  return { ...view, cluster: { ...cluster, lastSeen } };
}

/** A planted bug of what ties the switch to maintenance mode. */
export const PAUSE_SHELL_MUTATIONS: readonly ShellMutation[] = [
  {
    name: "a remembered pause lays the switch to rest",
    needs: ["pause", "agent-kill"],
    guard: "switch",
    sabotage: { keeper: (options) => new Forgetful(options) },
  },
];

/** Disarms in every look after the first pause. */
class Forgetful extends LeaseKeeper {
  readonly #deadMan: LeaseSwitch;
  #hasSeen = false;

  constructor(options: LeaseKeeperOptions) {
    super(options);
    this.#deadMan = options.deadMan;
  }

  override async view(signal: AbortSignal): Promise<ClusterView> {
    const view = await super.view(signal);
    this.#hasSeen ||= view.settings.paused;
    if (this.#hasSeen) await this.#deadMan.disarm();
    return view;
  }
}
