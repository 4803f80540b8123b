/** One request as the fake etcd got it. */
export interface SeenRequest {
  readonly path: string;
  readonly body: string;
  readonly headers: Headers;
}

/** What the fake does with a request. */
export type Reply =
  | { readonly kind: "answer"; readonly status: number; readonly text: string }
  /** Accepts the request and never answers. */
  | { readonly kind: "hang" }
  /** Sends the head of an answer and breaks the connection. */
  | { readonly kind: "cut" }
  /** A stream that sends these parts and then stays open, or ends. */
  | { readonly kind: "stream"; readonly parts: readonly string[]; readonly ends: boolean };

/** Decides on each request; the index counts from 0. */
export type Script = (request: SeenRequest, index: number) => Reply;

/** An endpoint on loopback that misbehaves as told. */
export interface FakeGateway extends AsyncDisposable {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
}

export const HANG: Reply = { kind: "hang" };
export const CUT: Reply = { kind: "cut" };

export function answer(status: number, body: unknown): Reply {
  return { kind: "answer", status, text: typeof body === "string" ? body : JSON.stringify(body) };
}

export function stream(parts: readonly string[], ends = false): Reply {
  return { kind: "stream", parts, ends };
}

/** A good answer of etcd: a header with revision and raft term, and these fields. */
export function good(fields: Readonly<Record<string, unknown>> = {}, header = HEADER): Reply {
  return answer(200, { header, ...fields });
}

export const HEADER = { cluster_id: "14841639068965178418", revision: "42", raft_term: "7" };

/** An error as etcd 3.4 prints it. */
export function refusal(status: number, code: number, message: string): Reply {
  return answer(status, { error: message, code, message });
}

/** The question for the members and the cluster's id. */
const WHO = "/v3/cluster/member/list";

/** Questions for the cluster's id are answered by `who`, and neither seen nor given to the script. */
export function startFake(script: Script, who: () => Reply = () => good()): FakeGateway {
  const seen: SeenRequest[] = [];
  const closing = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const path = new URL(request.url).pathname;
      if (path === WHO) return await respond(who(), closing.signal);
      const index = seen.push({ path, body: await request.text(), headers: request.headers }) - 1;
      const last = seen[index] ?? { path, body: "", headers: request.headers };
      return await respond(script(last, index), closing.signal);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    seen,
    async [Symbol.asyncDispose](): Promise<void> {
      closing.abort();
      await server.shutdown();
    },
  };
}

async function respond(reply: Reply, closing: AbortSignal): Promise<Response> {
  switch (reply.kind) {
    case "answer":
      return new Response(reply.text, { status: reply.status });
    case "hang":
      await aborted(closing);
      return new Response(null, { status: 503 });
    case "cut":
      return new Response(streamOf(['{"header":{'], (controller) => controller.error("cut")));
    case "stream":
      return new Response(streamOf(reply.parts, (controller) => {
        if (reply.ends) return controller.close();
        closing.addEventListener("abort", () => quietly(controller));
      }));
  }
}

function streamOf(
  parts: readonly string[],
  finish: (controller: ReadableStreamDefaultController<Uint8Array>) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller): void {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      finish(controller);
    },
  });
}

function quietly(controller: ReadableStreamDefaultController<Uint8Array>): void {
  try {
    controller.close();
  } catch {
    // The client has cancelled it already.
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
