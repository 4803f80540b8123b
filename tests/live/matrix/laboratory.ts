import { type Cluster, planCluster } from "../../../scripts/playground/cluster.ts";
import { Watch } from "../../../scripts/playground/watch.ts";
import { Gates } from "./gates.ts";

/** One cluster on which cells run, one after another; each cell leaves it healthy. */
export interface Scene {
  readonly cluster: Cluster;
  readonly gates: Gates;
  readonly ttlMs: number;
  /** Makes the clients of one cell; their ids are above all that were written before. */
  readonly newWatch: () => { readonly watch: Watch; readonly firstId: number };
  /** What the watchdog device of a member got. */
  readonly deviceFile: (member: string) => string;
}

/** Members of every cluster here. */
const MEMBERS: readonly string[] = ["a", "b", "c"];
const IDS_OF_A_CELL = 1_000_000;
/** Nothing checkpoints by itself, so that a crash has everything to redo. */
const FAR_CHECKPOINTS = { checkpoint_timeout: "1h", max_wal_size: "8GB" };

/**
 * A cluster with hooks that wait at a gate. With `watchdog` each member has a device, too, and half a second more of
 * lease: the device ends the host a second before the lease, so all stops come a second earlier.
 */
export async function openScene(watchdog: boolean): Promise<Scene> {
  const folder = await Deno.makeTempDir({ prefix: "m-" });
  const gates = await Gates.create(folder);
  const deviceFile = (member: string): string => `${folder}/${member}.watchdog`;
  for (const name of MEMBERS) await Deno.writeTextFile(deviceFile(name), "");
  const ttl = watchdog ? 6 : 5;
  const cluster = await planCluster({
    members: MEMBERS,
    etcdMembers: 1,
    dcs: { ttl, loop_wait: 1, retry_timeout: 2 },
    overrides: (name) => ({
      postgresql: { ...gates.hooksOf(name), parameters: FAR_CHECKPOINTS },
      watchdog: watchdog
        ? { mode: "required", driver: "testing", device: deviceFile(name), safety_margin: 1 }
        : { mode: "off" },
    }),
  });
  let cells = 0;
  const newWatch: Scene["newWatch"] = () => {
    const firstId = ++cells * IDS_OF_A_CELL;
    const watch = new Watch(cluster.members, { writersOfEach: 4, pauseMs: 25, firstId });
    return { watch, firstId };
  };
  const scene = { cluster, gates, ttlMs: ttl * 1000, newWatch, deviceFile };
  try {
    await cluster.startMembers();
    await Watch.prepare(await cluster.waitForStreaming(60_000));
    return scene;
  } catch (error) {
    const logs = await cluster.keepLogs();
    await closeScene(scene);
    throw new Error(`Cannot open a scene; logs: ${logs}`, { cause: error });
  }
}

/** Ends all of it. */
export async function closeScene({ cluster, gates }: Scene): Promise<void> {
  await cluster.close();
  await gates.close();
}
