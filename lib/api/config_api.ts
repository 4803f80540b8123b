import { within } from "../base/deadline.ts";
import { judgePatch } from "../core/config_patch.ts";
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

  /** The `config` key as stored; 502 when it is absent or no object. */
  async do_GET_config({ closing }: Call): Promise<HttpReply> {
    const { config } = await recentCluster(this.#context, closing);
    return config === null ? textReply("Bad Gateway", 502) : jsonReply(config.raw);
  }

  /** Lays the body over the `config` key and wakes the loop; 409 when somebody else changed it meanwhile. */
  async do_PATCH_config({ request, closing }: Call): Promise<HttpReply> {
    const body = await readObject(request);
    if (body.kind === "bad") return body.reply;
    const verdict = judgePatch(await readCluster(this.#context, closing), body.value);
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
    if (result.kind === "refused") return textReply("the configuration was changed meanwhile", 409);
    return textReply(`status unknown: the store gave no answer (${result.why})`, 503);
  }
}
