import type { AgentConfig } from "../config/agent_config.ts";
import type { SelfView } from "../core/node_view.ts";
import { slotNameOf } from "../core/slot_name.ts";
import { readTags } from "../core/tags.ts";

/** Facts of this node, renewed when the file is read again. */
export class SelfHolder {
  #config: AgentConfig;
  #self: SelfView;

  constructor(config: AgentConfig) {
    this.#config = config;
    this.#self = selfOf(config);
  }

  /** The facts as of the last read. */
  get self(): SelfView {
    return this.#self;
  }

  /** New tags of the local file, and where the REST API is now. */
  take({ tags, restapi }: Pick<AgentConfig, "tags" | "restapi">): void {
    this.#config = { ...this.#config, tags, restapi };
    this.#self = selfOf(this.#config);
  }
}

/** Where others find the REST API of this member, without a path. */
export function ownApiUrl({ restapi }: AgentConfig): string {
  return `${restapi.tls === null ? "http" : "https"}://${restapi.connectAddress}`;
}

function selfOf(config: AgentConfig): SelfView {
  const { name, postgresql, bootstrap, tags } = config;
  const { connectAddress, proxyAddress, database } = postgresql;
  return {
    name,
    apiUrl: `${ownApiUrl(config)}/patroni`,
    connUrl: `postgres://${connectAddress}/${database}`,
    proxyUrl: proxyAddress === null ? null : `postgres://${proxyAddress}/${database}`,
    tags: readTags(tags),
    mayBootstrap: bootstrap !== null,
    mayReclone: true, // the old directory is kept aside, so nothing is removed
    slotName: slotNameOf(name),
    hasPrePromote: postgresql.hooks.prePromote !== null,
  };
}
