import type { AgentConfig } from "../config/agent_config.ts";
import type { SelfView } from "../core/node_view.ts";
import { slotNameOf } from "../core/slot_name.ts";
import { readTags } from "../core/tags.ts";

/** Facts of this node, renewed when the file is read again. */
export class SelfHolder {
  #self: SelfView;

  constructor(config: AgentConfig) {
    this.#self = selfOf(config);
  }

  /** The facts as of the last read. */
  get self(): SelfView {
    return this.#self;
  }

  /** Takes over what the file says now; name, database and the API's address stay those of the start. */
  take(config: AgentConfig): void {
    const { name, apiUrl, slotName } = this.#self;
    this.#self = { ...selfOf(config), name, apiUrl, slotName };
  }
}

function selfOf(config: AgentConfig): SelfView {
  const { name, restapi, postgresql, bootstrap, tags } = config;
  const { connectAddress, proxyAddress, database } = postgresql;
  return {
    name,
    apiUrl: `http://${restapi.connectAddress}/patroni`,
    connUrl: `postgres://${connectAddress}/${database}`,
    proxyUrl: proxyAddress === null ? null : `postgres://${proxyAddress}/${database}`,
    tags: readTags(tags),
    mayBootstrap: bootstrap !== null,
    mayReclone: postgresql.removeDataDirectoryOnDivergedTimelines,
    slotName: slotNameOf(name),
    hasPrePromote: postgresql.hooks.prePromote !== null,
  };
}
