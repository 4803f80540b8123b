import type { JsonObject } from "../base/json.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import type { SelfView } from "../core/node_view.ts";
import { slotNameOf } from "../core/slot_name.ts";
import { readTags } from "../core/tags.ts";

/** Facts of this node, renewed when the file is read again. */
export class SelfHolder {
  readonly #config: AgentConfig;
  #self: SelfView;

  constructor(config: AgentConfig) {
    this.#config = config;
    this.#self = selfOf(config, config.tags);
  }

  /** The facts as of the last read. */
  get self(): SelfView {
    return this.#self;
  }

  /** New tags of the local file. */
  takeTags(tags: JsonObject): void {
    this.#self = selfOf(this.#config, tags);
  }
}

function selfOf(config: AgentConfig, tags: JsonObject): SelfView {
  const { name, restapi, postgresql, bootstrap } = config;
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
