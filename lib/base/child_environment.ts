/** Settings and secrets of the agent and its runtime, and the service manager's socket: a child could answer in its name. */
const HIDDEN = /^(PATRONI_|KUBERNETES_|NOTIFY_SOCKET$|DCS_URL$|AGENT_|DENO_)/;
/** The executable puts aside under this prefix what must not reach its runtime, such as HTTP_PROXY. */
const KEPT = "AGENT_KEEP_";

/**
 * The environment for programs that the agent starts: what it was started with, without its own settings, those of its
 * runtime and the service manager's socket.
 */
export function cleanEnvironment(): Record<string, string> {
  const all = Object.entries(Deno.env.toObject());
  const passed = all.filter(([name]) => !HIDDEN.test(name));
  const kept = all.filter(([name]) => name.startsWith(KEPT));
  return Object.fromEntries([
    ...passed,
    ...kept.map(([name, value]) => [name.slice(KEPT.length), value] as const),
  ]);
}

/** The same for PostgreSQL: `PG_MALLOC_ARENA_MAX` is the allocator's setting for the server alone. */
export function serverEnvironment(): Record<string, string> {
  const { PG_MALLOC_ARENA_MAX: arenas, ...rest } = cleanEnvironment();
  return arenas === undefined ? rest : { ...rest, MALLOC_ARENA_MAX: arenas };
}
