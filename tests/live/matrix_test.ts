import { tell } from "./live.ts";
import type { Signal, Trouble } from "./matrix/blow.ts";
import { type Cell, play } from "./matrix/cell.ts";
import { judge } from "./matrix/judge.ts";
import { closeScene, openScene, type Scene } from "./matrix/laboratory.ts";
import { type State, STATES } from "./matrix/states.ts";

/** Steps of two clusters run at once, so none can be asked for what another one holds. */
const BESIDE_OTHERS = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

const GUARDED: readonly Trouble[] = [
  "nothing else",
  "the switch's sleep killed again and again",
  "the switch killed before",
];

/** The cells of one cluster for each state. */
interface Lane {
  readonly watchdog: boolean;
  readonly blows: readonly (readonly [Signal, Trouble])[];
}

const LANES: readonly Lane[] = [
  { watchdog: false, blows: GUARDED.map((trouble) => ["SIGSTOP", trouble] as const) },
  { watchdog: false, blows: GUARDED.map((trouble) => ["SIGKILL", trouble] as const) },
  {
    watchdog: true,
    blows: [["SIGSTOP", "the switch killed with it"], ["SIGKILL", "the switch killed with it"]],
  },
];

const SCENES: Scene[] = [];

Deno.test.beforeAll(async () => {
  const opened = await Promise.allSettled(LANES.map(({ watchdog }) => openScene(watchdog)));
  SCENES.push(...opened.flatMap((one) => one.status === "fulfilled" ? [one.value] : []));
  const failed = opened.find((one) => one.status === "rejected");
  if (failed === undefined) return;
  await Promise.all(SCENES.map(closeScene)); // afterAll does not come when this throws
  throw failed.reason;
});

Deno.test.afterAll(async () => {
  await Promise.all(SCENES.map(closeScene));
});

async function runLane(t: Deno.TestContext, state: State, place: number): Promise<void> {
  const scene = SCENES[place];
  const lane = LANES[place];
  if (scene === undefined || lane === undefined) throw new TypeError(`Cannot find lane ${place}`);
  for (const [signal, trouble] of lane.blows) {
    const name = `agent ${signal}, ${trouble}`;
    const fn = (): Promise<void> => runCell(scene, { state, signal, trouble }, name);
    await t.step({ name, fn, ...BESIDE_OTHERS });
  }
}

async function runCell(scene: Scene, cell: Cell, name: string): Promise<void> {
  try {
    const figures = judge(await play(scene, cell));
    await tell(`${cell.state.title}; ${name}: ${figures}`);
  } catch (error) {
    const { cluster } = scene;
    await tell(`${name}: ${await cluster.summary()}\n    logs: ${await cluster.keepLogs()}`);
    throw error;
  }
}

for (const state of STATES) {
  Deno.test({
    name: `A18 kill matrix: agent hit while ${state.title}`,
    ...BESIDE_OTHERS,
    fn: async (t) => {
      if (state.alone !== true) {
        await Promise.all(LANES.map((_, place) => runLane(t, state, place)));
        return;
      }
      for (const place of LANES.keys()) await runLane(t, state, place);
    },
  });
}
