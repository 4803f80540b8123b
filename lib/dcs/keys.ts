/** The keys of one cluster, as full names in the store; names and layout are Patroni 4's. */
export interface Keys {
  /** Everything of the cluster is below it; ends with a slash. */
  readonly prefix: string;
  readonly leader: string;
  readonly initialize: string;
  readonly config: string;
  readonly failover: string;
  readonly failsafe: string;
  readonly history: string;
  readonly status: string;
  readonly sync: string;
  /** Where members older than 2.1.0 look for the leader's position; read only. */
  readonly legacyOptime: string;
  readonly members: string;
}

/** The keys below `/<namespace>/<scope>/`; slashes around and within the namespace may be doubled or missing. */
export function keysOf(options: { readonly namespace: string; readonly scope: string }): Keys {
  const prefix = `/${options.namespace}/${options.scope}/`.replace(/\/+/g, "/");
  return {
    prefix,
    leader: `${prefix}leader`,
    initialize: `${prefix}initialize`,
    config: `${prefix}config`,
    failover: `${prefix}failover`,
    failsafe: `${prefix}failsafe`,
    history: `${prefix}history`,
    status: `${prefix}status`,
    sync: `${prefix}sync`,
    legacyOptime: `${prefix}optime/leader`,
    members: `${prefix}members/`,
  };
}

/** The key that member `name` publishes itself under. */
export function memberKey(keys: Keys, name: string): string {
  return `${keys.members}${name}`;
}

/** The name in a key directly under `members/`; null for every other key. */
export function memberNameOf(keys: Keys, key: string): string | null {
  if (!key.startsWith(keys.members)) return null;
  const name = key.slice(keys.members.length);
  return name === "" || name.includes("/") ? null : name;
}

/**
 * True for the keys whose change every member should look at now. Status and members change too often for that, but not a
 * member that appears (`isNew`): until the leader has seen it, it has no slot, and the list of failsafe mode bars it.
 */
export function isWakingKey(keys: Keys, key: string, isNew: boolean): boolean {
  const { leader, failover, config, initialize, sync, history } = keys;
  if (isNew && memberNameOf(keys, key) !== null) return true;
  return [leader, failover, config, initialize, sync, history].includes(key);
}
