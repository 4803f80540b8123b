/** The Patroni release whose keys, documents and texts this agent speaks; published as the members' `version`. */
export const COMPATIBLE_VERSION = "4.1.4";

/** The agent's own version, shown where people look. */
export const AGENT_VERSION = "0.1.0";
