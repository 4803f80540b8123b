import { within } from "../base/deadline.ts";
import { clusterDocument, historyDocument } from "../core/cluster_document.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import { statusDocument } from "../core/status_document.ts";
import type { Call } from "./call.ts";
import type { ApiContext, ServedContext } from "./context.ts";
import { factsOf, presentCluster, settingsOf, withServer } from "./facts.ts";
import { FreshServer } from "./fresh_server.ts";
import { jsonReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

/** GET endpoints about this member and about the cluster. */
export class ClusterApi {
  readonly #context: ServedContext;
  readonly #server: FreshServer;

  constructor(context: ServedContext) {
    this.#context = context;
    this.#server = new FreshServer(context);
  }

  /** The status document with a fresh look at the server: peers in the race compare its positions. */
  async do_GET_patroni(): Promise<HttpReply> {
    const server = await this.#server.look();
    const facts = factsOf(this.#context);
    const view = server === null ? facts.view : withServer(facts.view, server);
    return jsonReply(statusDocument({ ...facts, view }));
  }

  /** All members as the store shows them now. */
  async do_GET_cluster({ closing }: Call): Promise<HttpReply> {
    const cluster = await readCluster(this.#context, closing);
    return jsonReply(clusterDocument(cluster, this.#context.scope));
  }

  /** The timelines that ended; an empty list when there was no failover yet. */
  async do_GET_history({ closing }: Call): Promise<HttpReply> {
    const cluster = await recentCluster(this.#context, closing);
    return jsonReply(historyDocument(cluster.history ?? []));
  }
}

/** A fresh read of the store within `retry_timeout`. Throws `DcsUnreachable`. */
export async function readCluster(
  context: ApiContext,
  closing: AbortSignal,
): Promise<ClusterView> {
  const { retryTimeoutS } = settingsOf(context.board.state());
  using deadline = within(retryTimeoutS * 1000, closing);
  return await context.dcs.read(deadline.signal);
}

/** The last view of the loop, or a fresh read when that is too old. Throws `DcsUnreachable`. */
export async function recentCluster(
  context: ApiContext,
  closing: AbortSignal,
): Promise<ClusterView> {
  const known = presentCluster(context.board.state(), context.clock.bootMs());
  return known ?? await readCluster(context, closing);
}
