import type { NodeView } from "../core/node_view.ts";

/** What is only asked for on demand, and holds for the rest of the tick that asked. */
export type Facts = Pick<NodeView, "peers" | "leader" | "consents">;

/** The facts at the beginning of each tick. */
export const NOTHING_ASKED: Facts = { peers: "not asked", leader: "not asked" };
