import type { Member } from "../playground/member.ts";
import { pause } from "../playground/wait.ts";
import { median, quantile, repeated } from "./row.ts";
import type { Row } from "./row.ts";
import { DEFAULTS, startQuietly, withCluster } from "./stage.ts";

const CLIENTS = 8;
const LOAD_MS = 5_000;

/** `GET /` of the leader, a new connection for each, by eight clients at once, as fast as it goes. */
export const api: Row = {
  name: "api",
  figures: [
    {
      name: "api-rate",
      title: "GET / a second, a connection each",
      unit: "",
      wanted: { kind: "ratio", atLeast: 8 },
    },
    {
      name: "api-p99",
      title: "99 % of GET / within",
      unit: "ms",
      wanted: { kind: "ratio", atMost: 0.5 },
    },
    { name: "api-p50", title: "half of GET / within", unit: "ms", wanted: { kind: "none" } },
  ],
  rounds: 3,
  measure: (program, rounds) =>
    withCluster(program, DEFAULTS, async (cluster) => {
      const leader = await startQuietly(cluster);
      await load(leader, 1_000); // whatever is made at the first request
      return await repeated(rounds, async () => {
        await pause(1_000);
        return await load(leader, LOAD_MS);
      });
    }),
};

async function load(member: Member, forMs: number): Promise<Record<string, number>> {
  const began = performance.now();
  const clients = Array.from({ length: CLIENTS }, () => client(member, began + forMs));
  const tookMs = (await Promise.all(clients)).flat();
  const seconds = (performance.now() - began) / 1000;
  return {
    "api-rate": tookMs.length / seconds,
    "api-p99": quantile(tookMs, 0.99),
    "api-p50": median(tookMs),
  };
}

async function client({ plan }: Member, untilMs: number): Promise<readonly number[]> {
  const tookMs: number[] = [];
  while (performance.now() < untilMs) {
    const began = performance.now();
    await get(plan.site.host, plan.restPort);
    tookMs.push(performance.now() - began);
  }
  return tookMs;
}

/** One request on a connection of its own, to the end of the answer. */
async function get(hostname: string, port: number): Promise<void> {
  using connection = await Deno.connect({ hostname, port });
  const request = `GET / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const bytes = new Uint8Array(16_384);
  let head = "";
  for (
    let count = await connection.read(bytes);
    count !== null;
    count = await connection.read(bytes)
  ) {
    if (head === "") head = new TextDecoder().decode(bytes.subarray(0, Math.min(count, 32)));
  }
  if (!/^HTTP\/1\.[01] 200 /.test(head)) throw new Error(`Cannot get /: the answer is ${head}`);
}
