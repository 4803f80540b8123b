import type { IncomingMessage } from "node:http";
import { systemAuthorities } from "./system_authorities.ts";
import type { TlsMaterial } from "./tls.ts";

/**
 * A request by https that is checked by the authorities of `material` alone, or not at all: Deno's `fetch` trusts its
 * own list besides, always checks, and refuses a certificate that is its own authority. One connection for each call,
 * the whole answer is read (at most `ANSWER_MAX` bytes). Rejects with a TypeError whose cause tells the reason, as
 * `fetch` does.
 */
export async function nodeFetch(
  url: string,
  init: RequestInit,
  material: TlsMaterial,
  isChecked: boolean,
): Promise<Response> {
  const { Agent, request } = await import("node:https"); // a megabyte that few members need
  const agent = new Agent({ keepAlive: false, rejectUnauthorized: isChecked, ...tlsOf(material) });
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const phase = { sent: false };
  const signal = init.signal ?? new AbortController().signal;
  if (signal.aborted) throw signal.reason;
  const call = request(url, {
    agent,
    method: init.method ?? "GET",
    headers: Object.fromEntries(new Headers(init.headers)),
  }, (answer) => readAnswer(answer).then(resolve, fail));
  function fail(error: Error): void {
    const words = phase.sent ? error.message : `client error (Connect): ${error.message}`;
    reject(
      signal.aborted ? signal.reason : new TypeError("fetch failed", { cause: new Error(words) }),
    );
  }
  const stop = (): void => void call.destroy(new Error("the call was given up"));
  signal.addEventListener("abort", stop, { once: true });
  call.on("socket", (socket) => socket.once("secureConnect", () => phase.sent = true));
  call.on("error", fail);
  call.end(typeof init.body === "string" ? init.body : undefined);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    agent.destroy();
  }
}

function tlsOf({ ca, cert, key }: TlsMaterial): { ca?: string; cert?: string; key?: string } {
  const authorities = ca ?? systemAuthorities();
  const pair = cert === null || key === null ? {} : { cert, key };
  return { ...(authorities === "" ? {} : { ca: authorities }), ...pair };
}

const ANSWER_MAX = 4 * 1024 ** 2;

async function readAnswer(answer: IncomingMessage): Promise<Response> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += chunk.length;
    if (size > ANSWER_MAX) throw new Error("the answer is too long");
    chunks.push(new Uint8Array(chunk));
  }
  const status = answer.statusCode ?? 0;
  const body = size === 0 ? null : new Blob(chunks);
  return new Response(body, { status: status < 200 ? 502 : status });
}
