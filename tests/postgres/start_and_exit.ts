// An agent's short life: starts member "a" under the given folder as a replica of nobody, and ends.
import { clusterSettings, job, member } from "./real_server.ts";

const [dir = "", port = ""] = Deno.args;
const listen = { hosts: ["127.0.0.1"], port: Number(port) };
const { manager } = member(dir, "a", { listen });
const result = await manager.startReplica(null, clusterSettings(), job());
await manager.close();
Deno.exit(result.kind === "done" ? 0 : 1);
