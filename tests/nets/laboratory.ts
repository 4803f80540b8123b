import { type Cluster, planCluster } from "../../scripts/playground/cluster.ts";
import { buildNetwork, mayBuildNetworks, type Network } from "../../scripts/playground/network.ts";
import { tell } from "../live/live.ts";
import { Watch } from "../../scripts/playground/watch.ts";

const MEMBERS: readonly string[] = ["a", "b", "c"];
/** The etcd members have hosts of their own, so that a member can be cut off from etcd alone. */
export const STORE: readonly string[] = ["e0", "e1", "e2"];
/** The shortest lease that is allowed: the tightest budget. */
export const TTL_MS = 5_000;
const SETTINGS = { ttl: TTL_MS / 1000, loop_wait: 1, retry_timeout: 2 };

/** What the tests of cuts work with. */
export interface Scene {
  readonly cluster: Cluster;
  readonly network: Network;
  readonly watch: Watch;
}

/** One long-lived cluster of three members and three etcd members on six hosts of a private network, under load. */
class Laboratory {
  #scene: Scene | null = null;

  async open(): Promise<void> {
    const folder = await Deno.makeTempDir({ prefix: "n-" });
    const network = await buildNetwork([...MEMBERS, ...STORE], folder);
    const site = network.site.bind(network);
    const cluster = await planCluster({ members: MEMBERS, etcdMembers: 3, dcs: SETTINGS, site });
    this.#scene = { cluster, network, watch: new Watch(cluster.members) };
    await Promise.all(cluster.members.map((member) => member.start()));
    const leader = await cluster.waitForStreaming(60_000);
    await Watch.prepare(leader);
  }

  async close(): Promise<void> {
    if (this.#scene === null) return;
    const { cluster, network } = this.#scene;
    await cluster.close();
    await network.close();
  }

  get scene(): Scene {
    if (this.#scene === null) throw new TypeError("Cannot work in a laboratory that is not open");
    return this.#scene;
  }
}

const LABORATORY = new Laboratory();

Deno.test.beforeAll(async () => {
  if (!mayBuildNetworks()) return;
  try {
    await LABORATORY.open();
  } catch (error) {
    await LABORATORY.close(); // afterAll does not come when this throws
    throw error;
  }
});

Deno.test.afterAll(async () => {
  await LABORATORY.close();
});

/** A test on the cluster that all of them share; whatever it cut is healed at its end. Skipped without the right to build networks. */
export function netTest(title: string, body: (scene: Scene) => Promise<void>): void {
  Deno.test({
    name: title,
    ignore: !mayBuildNetworks(),
    fn: async () => {
      const { scene } = LABORATORY;
      scene.watch.start();
      try {
        await body(scene);
      } catch (error) {
        const { cluster } = scene;
        await tell(`${await cluster.summary()}\n    logs: ${await cluster.keepLogs()}`);
        throw error;
      } finally {
        await scene.network.heal();
        await scene.watch.stop();
      }
    },
  });
}
