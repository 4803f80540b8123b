/** Settings and secrets of the agent, and the service manager's socket: a child could answer in the agent's name. */
const HIDDEN = /^(PATRONI_|KUBERNETES_|NOTIFY_SOCKET$|DCS_URL$)/;

/** The environment for programs that the agent starts: its own without what belongs to the agent alone. */
export function cleanEnvironment(): Record<string, string> {
  const all = Object.entries(Deno.env.toObject());
  return Object.fromEntries(all.filter(([name]) => !HIDDEN.test(name)));
}

/** The same for PostgreSQL: `PG_MALLOC_ARENA_MAX` is the allocator's setting for the server alone. */
export function serverEnvironment(): Record<string, string> {
  const { PG_MALLOC_ARENA_MAX: arenas, ...rest } = cleanEnvironment();
  return arenas === undefined ? rest : { ...rest, MALLOC_ARENA_MAX: arenas };
}
