import type { Call } from "./call.ts";
import { recentCluster } from "./cluster_api.ts";
import type { ApiContext } from "./context.ts";
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
}
