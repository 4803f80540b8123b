import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { callOf } from "../../lib/api/call.ts";
import { textReply } from "../../lib/api/reply.ts";
import { route, routesOf } from "../../lib/api/router.ts";
import { OPEN_ACCESS } from "../../lib/api/access.ts";
import { TestApi } from "./fakes.ts";

const OPEN = new AbortController().signal;

class Sample {
  readonly #text = "sample";
  do_GET_read_me(): Response {
    return textReply(this.#text, 200);
  }
  do_POST_read_me(): Response {
    return textReply("posted", 202);
  }
  helper(): string {
    return "";
  }
}

async function answer(method: string, path: string): Promise<readonly [number, string]> {
  const call = callOf(new Request(`http://h${path}`, { method }), OPEN);
  const reply = await route(routesOf([new Sample()]), call);
  return [reply.status, await reply.text()];
}

Deno.test("routesOf() makes a table of the method names", () => {
  const table = [...routesOf([new Sample()])].map(([name, methods]) => [name, [...methods.keys()]]);

  deepStrictEqual(table, [["read_me", ["GET", "POST"]]]);
});

Deno.test("routesOf() throws when two objects serve the same", () => {
  throws(() => routesOf([new Sample(), new Sample()]), TypeError);
});

Deno.test("route() takes the first segment, with - for _", async () => {
  deepStrictEqual(await answer("GET", "/read-me/more?x=1"), [200, "sample"]);
  deepStrictEqual(await answer("POST", "/read_me"), [202, "posted"]);
});

Deno.test("route() answers HEAD and OPTIONS as GET without body", async () => {
  deepStrictEqual(await answer("HEAD", "/read-me"), [200, ""]);
  deepStrictEqual(await answer("OPTIONS", "/read-me"), [200, ""]);
});

Deno.test("route() says 405 for another method and 404 for another path", async () => {
  strictEqual((await answer("DELETE", "/read-me"))[0], 405);
  for (const path of ["/", "/nothing", "//read-me", "/helper", "/constructor", "/__proto__"]) {
    strictEqual((await answer("GET", path))[0], 404);
  }
});

Deno.test("callOf() cuts path and query from any URL text", () => {
  const cut = (url: string): readonly string[] => {
    const { path, search } = callOf(Object.create({ url, method: "GET" }), OPEN);
    return [path, search];
  };

  deepStrictEqual(cut("http://a b/primary?lag=1"), ["/primary", "?lag=1"]);
  deepStrictEqual(cut("http://::1/"), ["/", ""]);
  deepStrictEqual(cut("http://localhost"), ["/", ""]);
  deepStrictEqual(cut("http://h//primary?a?b"), ["//primary", "?a?b"]);
  deepStrictEqual(cut("http://h/*"), ["/*", ""]);
});

Deno.test("the API answers any method, path, header and body with a Response", async () => {
  const api = new TestApi({
    handoverLimitS: 0,
    access: () => ({ ...OPEN_ACCESS, authentication: { username: "u", password: "p" } }),
  });
  const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FOO");
  const known = fc.constantFrom(
    "primary",
    "patroni",
    "cluster",
    "switchover",
    "failover",
    "config",
  );
  const header = fc.constantFrom("", "Basic", "Basic dTpw", "basic dTpw", "Bearer x");
  const path = fc.oneof(
    known,
    fc.webPath(),
    fc.tuple(known, fc.webQueryParameters()).map((parts) => parts.join("?")),
  );
  const body = fc.oneof(fc.string(), fc.json());
  await fc.assert(
    fc.asyncProperty(method, path, header, body, async (method, path, authorization, text) => {
      const hasBody = !["GET", "HEAD"].includes(method);
      const headers = { authorization, ...(hasBody ? { "content-length": "9" } : {}) };
      const init = hasBody ? { method, headers, body: text } : { method, headers };
      const reply = await api.send(`/${path}`, init);
      await reply.body?.cancel();
      strictEqual(reply.status !== 500 && reply.status >= 200, true);
    }),
  );
});
