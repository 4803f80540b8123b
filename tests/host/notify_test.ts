import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { serviceManager } from "../../lib/host/notify.ts";

/** A service manager's end of the socket. */
async function onSocket(
  body: (name: string, next: () => Promise<readonly string[]>) => Promise<void>,
  isAbstract = false,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${isAbstract ? "\0" : ""}${folder}/notify`;
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  try {
    await body(path.replace("\0", "@"), async () => {
      const [message] = await socket.receive(new Uint8Array(4096));
      return new TextDecoder().decode(message).split("\n");
    });
    deepStrictEqual(await names(folder), isAbstract ? [] : ["notify"]);
  } finally {
    socket.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function names(folder: string): Promise<readonly string[]> {
  return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
}

Deno.test("serviceManager() is told that the agent is ready, what it does and that it ends", async () => {
  await onSocket(async (name, next) => {
    const tell = serviceManager({ NOTIFY_SOCKET: name });
    strictEqual(await tell({ ready: true, status: "waiting\nfor it" }), null);
    deepStrictEqual(await next(), ["READY=1", "STATUS=waiting for it"]);
    strictEqual(await tell({ status: "member a" }), null);
    deepStrictEqual(await next(), ["STATUS=member a"]);
    strictEqual(await tell({ stopping: true, status: "ending" }), null);
    deepStrictEqual(await next(), ["STOPPING=1", "STATUS=ending"]);
  });
});

Deno.test("serviceManager() reaches a socket without a file", async () => {
  await onSocket(async (name, next) => {
    strictEqual(await serviceManager({ NOTIFY_SOCKET: name })({ status: "x" }), null);
    deepStrictEqual(await next(), ["STATUS=x"]);
  }, true);
});

Deno.test("serviceManager() says why nobody could be told, and is silent without a manager", async () => {
  const told = await serviceManager({ NOTIFY_SOCKET: "/nowhere/notify" })({ status: "x" });
  match(told ?? "", /^Cannot tell the service manager at \/nowhere\/notify: .*No such file/);
  strictEqual(await serviceManager({})({ status: "x" }), null);
  strictEqual(await serviceManager({ NOTIFY_SOCKET: "" })({ status: "x" }), null);
});

Deno.test("serviceManager() gives up on a manager that does not read", async () => {
  await onSocket(async (name, next) => {
    const tell = serviceManager({ NOTIFY_SOCKET: name });
    let fault: string | null = null;
    let sent = 0;
    while (fault === null && sent < 10_000) {
      fault = await tell({ status: "x" });
      sent++;
    }
    match(fault ?? "", /^Cannot tell the service manager .*no room within 1000 ms/);
    // The last one is still under way: room for it ends it.
    for (; sent > 0; sent--) deepStrictEqual(await next(), ["STATUS=x"]);
  });
});
