import { within } from "../base/deadline.ts";
import type { JsonObject } from "../base/json.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import { judgePatch, judgePut } from "../core/config_patch.ts";
import type { ConfigVerdict } from "../core/config_patch.ts";
import { readObject } from "./bodies.ts";
import type { Call } from "./call.ts";
import { readCluster, recentCluster } from "./cluster_api.ts";
import type { ApiContext } from "./context.ts";
import { settingsOf } from "./facts.ts";
import { jsonReply, textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

/** The cluster-wide configuration. */
export class ConfigApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** The `config` key as stored, with its revision as `etag`; 502 when it is absent or no object. */
  async do_GET_config({ closing }: Call): Promise<HttpReply> {
    const { config } = await recentCluster(this.#context, closing);
    if (config === null) return textReply("Bad Gateway", 502);
    return jsonReply(config.raw, 200, { etag: etagOf(config.revision) });
  }

  /** Lays the body over the `config` key and wakes the loop; 409 when somebody else changed it meanwhile. */
  do_PATCH_config(call: Call): Promise<HttpReply> {
    return this.#change(call, judgePatch);
  }

  /** Replaces the `config` key and wakes the loop; 409 when somebody else changed it meanwhile. */
  do_PUT_config(call: Call): Promise<HttpReply> {
    return this.#change(call, judgePut);
  }

  /** With `if-match` "meanwhile" begins where the caller read, else with this request. */
  async #change(
    { request, closing }: Call,
    judge: (cluster: ClusterView, body: JsonObject) => ConfigVerdict,
  ): Promise<HttpReply> {
    const body = await readObject(request);
    if (body.kind === "bad") return body.reply;
    const cluster = await readCluster(this.#context, closing);
    const wanted = request.headers.get("if-match");
    const present = etagOf(cluster.config?.revision ?? 0n);
    if (wanted !== null && wanted.trim() !== present) return changedMeanwhile();
    const verdict = judge(cluster, body.value);
    if (verdict.kind === "refused") return textReply(verdict.text, verdict.status);
    const failure = verdict.kind === "write" ? await this.#write(verdict, closing) : null;
    this.#context.mailbox.wake("the configuration was changed");
    return failure ?? jsonReply(verdict.config);
  }

  /** One try; null when it was written. Without an answer it may have been. */
  async #write(
    { config, revision }: Extract<ConfigVerdict, { kind: "write" }>,
    closing: AbortSignal,
  ): Promise<HttpReply | null> {
    const { dcs, board } = this.#context;
    using deadline = within(settingsOf(board.state()).retryTimeoutS * 1000, closing);
    const result = await dcs.writeConfig(config, revision, deadline.signal);
    if (result.kind === "done") return null;
    if (result.kind === "refused") return changedMeanwhile();
    return textReply(`status unknown: the store gave no answer (${result.why})`, 503);
  }
}

function etagOf(revision: bigint): string {
  return `"${revision}"`;
}

function changedMeanwhile(): HttpReply {
  return textReply("the configuration was changed meanwhile", 409);
}
