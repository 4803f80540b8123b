import { deepStrictEqual } from "node:assert/strict";
import { readObject, readOptionalObject } from "../../lib/api/bodies.ts";

async function read(body: BodyInit, length: string | null = "9"): Promise<unknown> {
  const headers = new Headers(length === null ? {} : { "content-length": length });
  const request = new Request("http://h/", { method: "POST", body, headers });
  const found = await readObject(request, { bytesMax: 64, deadlineMs: 50 });
  return found.kind === "object" ? found.value : found.reply.status;
}

Deno.test("readObject() gives the object of the body", async () => {
  deepStrictEqual(await read('{"leader": "ä"}'), { leader: "ä" });
});

Deno.test("readObject() says 411 without Content-Length", async () => {
  deepStrictEqual(await read('{"leader":"a"}', null), 411);
});

for (const bad of ["", "{}", "[]", "5", "null", '"a"', "{", "{'a':1}", "\u0000"]) {
  Deno.test(`readObject() says 400 for ${JSON.stringify(bad)}`, async () => {
    deepStrictEqual(await read(bad), 400);
  });
}

Deno.test("readObject() says 400 for what is no UTF-8", async () => {
  deepStrictEqual(await read(new Uint8Array([0x22, 0xff, 0x22])), 400);
});

Deno.test("readObject() says 413 above the limit, announced or not", async () => {
  deepStrictEqual(await read("{}", "65"), 413);
  deepStrictEqual(await read(JSON.stringify({ a: "x".repeat(100) })), 413);
});

Deno.test("readObject() says 408 when the body does not arrive in time", async () => {
  deepStrictEqual(await read(new ReadableStream<Uint8Array>()), 408);
});

Deno.test("readObject() says 400 when the client breaks off", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new TypeError("connection reset")),
  });

  deepStrictEqual(await read(broken), 400);
});

Deno.test("readOptionalObject() takes no body and an empty object, and nothing bad", async () => {
  const statusOf = async (
    body: string | null,
    length: string | null,
    more: Readonly<Record<string, string>> = {},
  ): Promise<unknown> => {
    const headers = new Headers(length === null ? more : { ...more, "content-length": length });
    const request = new Request("http://h/", { method: "POST", body, headers });
    const found = await readOptionalObject(request, { bytesMax: 64, deadlineMs: 50 });
    return found.kind === "object" ? found.value : found.reply.status;
  };
  deepStrictEqual(await statusOf(null, null), {});
  deepStrictEqual(await statusOf("", "0"), {});
  deepStrictEqual(await statusOf("{}", "2"), {});
  deepStrictEqual(await statusOf("[]", "2"), 400);
  deepStrictEqual(await statusOf("", null), {}); // servers give a stream for what has no body
  deepStrictEqual(await statusOf("{}", null, { "transfer-encoding": "chunked" }), 411);
});

Deno.test("readObject() says 400 for an object that would end on the stack of a reader", async () => {
  const nested = async (levels: number, open: string, close: string): Promise<unknown> => {
    const body = `{"x":${open.repeat(levels)}1${close.repeat(levels)}}`;
    const headers = { "content-length": String(body.length) };
    const found = await readObject(new Request("http://h/", { method: "POST", body, headers }));
    return found.kind === "object" ? 200 : found.reply.status;
  };
  const [list, mapping] = [["[", "]"], ['{"y":', "}"]] as const;
  for (const [open, close] of [list, mapping]) {
    deepStrictEqual(await nested(60, open, close), 200);
    deepStrictEqual(await nested(65, open, close), 400);
    deepStrictEqual(await nested(100_000, open, close), 400);
  }
});
