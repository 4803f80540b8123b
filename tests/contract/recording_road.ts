/** A way to etcd that can send its last request once more. */
export interface Road extends AsyncDisposable {
  readonly url: string;
  /** Sends again what is the last request now. */
  last(): () => Promise<void>;
}

/** Forwards every request to `url` and keeps the last one. */
export function recordingRoad(url: string): Road {
  let last = { path: "", body: "" };
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, async (request) => {
    last = { path: new URL(request.url).pathname, body: await request.text() };
    return await fetch(url + last.path, { method: "POST", body: last.body });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    last: () => {
      const { path, body } = last;
      return async () => {
        const response = await fetch(url + path, { method: "POST", body });
        await response.body?.cancel();
      };
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
