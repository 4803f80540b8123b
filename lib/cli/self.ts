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

  /** Takes over what the file says now, the address of the REST API included; the name stays that of the start. */
  take(config: AgentConfig): void {
    const { name, slotName } = this.#self;
    this.#self = { ...selfOf(config), name, slotName };
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
    mayReclone: postgresql.removeDataDirectoryOnDivergedTimelines,
    slotName: slotNameOf(name),
    ...(postgresql.usePgRewind === null ? {} : { usePgRewind: postgresql.usePgRewind }),
    mayRecloneAfterRewind: !postgresql.keepsHalfRewound,
    hasPrePromote: postgresql.hooks.prePromote !== null,
    hasRoleContent: postgresql.byRole !== null,
  };
}
