import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpReply } from "./reply.ts";

/** Node's request as the handlers know requests; null when it is none (a header or method that no `Request` takes). */
export function messageOf(message: IncomingMessage): Request | null {
  const method = message.method ?? "GET";
  try {
    const headers = new Headers();
    for (const [name, value] of Object.entries(message.headers)) {
      headers.set(name, Array.isArray(value) ? value.join(", ") : value ?? "");
    }
    const isSafe = ["GET", "HEAD", "OPTIONS"].includes(method);
    if (isSafe) message.resume(); // a body nobody reads
    return new Request(`https://localhost${targetOf(message.url ?? "/")}`, {
      method,
      headers,
      ...(isSafe ? {} : { body: bodyOf(message) }),
    });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Writes a reply whole. A request whose body has not come to its end leaves the connection unusable: it is closed. */
export async function sendReply(
  reply: HttpReply,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bytes = new Uint8Array(await reply.arrayBuffer());
  const headers: Record<string, string> = Object.fromEntries(reply.headers);
  if (reply.status !== 204 && reply.status !== 304) {
    headers["content-length"] = String(bytes.byteLength);
  }
  if (!message.complete) headers["connection"] = "close";
  const { promise, resolve } = Promise.withResolvers<void>();
  response.on("error", () => resolve()); // the client went away
  response.once("close", resolve);
  response.once("finish", resolve);
  response.writeHead(reply.status, headers);
  response.end(bytes);
  await promise;
}

/** `OPTIONS *` and the whole URL of a proxy's request become a path. */
function targetOf(url: string): string {
  const target = url.replace(/^[a-z]+:\/\/[^/]*/i, "");
  return target.startsWith("/") ? target : `/${target}`;
}

function bodyOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  let isOver = false;
  const once = (end: () => void): void => {
    if (!isOver) end();
    isOver = true;
  };
  return new ReadableStream<Uint8Array>({
    start(controller): void {
      message.on("data", (chunk: Uint8Array) => {
        if (isOver) return;
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) message.pause();
      });
      message.on("end", () => once(() => controller.close()));
      message.on("error", (error) => once(() => controller.error(error)));
      message.on("close", () => once(() => controller.error(new TypeError("the client left"))));
    },
    pull: () => void message.resume(),
    cancel: () => void (isOver = true),
  });
}
