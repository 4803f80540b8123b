import type { JsonObject } from "../../lib/base/json.ts";
import { timed } from "../playground/wait.ts";
import { repeated } from "./row.ts";
import type { Row } from "./row.ts";
import { DEFAULTS, startQuietly, withCluster } from "./stage.ts";

function startRow(name: string, title: string, dcs: JsonObject, atMost: number): Row {
  return {
    name,
    figures: [{ name, title, unit: "s", wanted: { kind: "ratio", atMost } }],
    rounds: 3,
    measure: (program, rounds) =>
      repeated(rounds, () =>
        withCluster(program, dcs, async (cluster) => {
          const tookMs = await timed(() => startQuietly(cluster));
          return { [name]: tookMs / 1000 };
        })),
  };
}

/** From empty folders to a leader with two streaming replicas, with Patroni's default timings. */
export const start = startRow("start", "start of three, defaults", DEFAULTS, 0.4);

/** The same with a short loop. */
export const startShort = startRow(
  "start-short",
  "start of three, loop_wait 2",
  { ttl: 20, loop_wait: 2, retry_timeout: 5 },
  0.9,
);
