const SEND_MS = 1000;

/** What a service manager can be told, by its own names (sd_notify(3)). */
export interface ServiceState {
  /** The agent has taken its configuration and answers to signals. */
  readonly ready?: true;
  /** The agent was asked to end. */
  readonly stopping?: true;
  /** One line for `systemctl status`. */
  readonly status: string;
}

/** Tells the service manager; returns why it could not be told, null when it was, or when there is none. Never throws. */
export type TellManager = (state: ServiceState) => Promise<string | null>;

/**
 * The service manager that listens on the datagram socket named by `NOTIFY_SOCKET` (sd_notify(3)): a path, or `@` and a
 * name without a file. The message comes from this very process, so `NotifyAccess=main` is enough.
 */
export function serviceManager(env: Readonly<Record<string, string>>): TellManager {
  const socket = env["NOTIFY_SOCKET"] ?? "";
  return async (state) => {
    if (socket === "") return null;
    try {
      await send(socket.replace(/^@/, "\0"), messageOf(state));
      return null;
    } catch (error) {
      return `Cannot tell the service manager at ${socket}: ${String(error)}`;
    }
  };
}

function messageOf({ ready, stopping, status }: ServiceState): string {
  const lines = [`STATUS=${status.replaceAll("\n", " ")}`];
  if (ready === true) lines.unshift("READY=1");
  if (stopping === true) lines.unshift("STOPPING=1");
  return lines.join("\n");
}

/**
 * An empty path gives the sending end a name without a file, so nothing is left to remove (unix(7), autobind). A manager
 * that does not read must not hold the agent, and closing the end does not wake a waiting `send`.
 */
async function send(path: string, message: string): Promise<void> {
  const own = Deno.listenDatagram({ transport: "unixpacket", path: "" });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no room within ${SEND_MS} ms`)), SEND_MS);
  try {
    const sent = own.send(new TextEncoder().encode(message), { transport: "unixpacket", path });
    await Promise.race([sent, late.promise]);
  } finally {
    clearTimeout(timer);
    own.close();
  }
}
