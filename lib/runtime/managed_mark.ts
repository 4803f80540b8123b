import { isJsonObject } from "../base/json.ts";
import { leadsTo, realPathOf } from "../base/real_path.ts";
import { readFileIfAny, replaceFile } from "./state_file.ts";

/**
 * Whether an agent of this host has ever led from a data directory: `managed.json` in the state directory. A primary without this
 * mark belongs to somebody else, as far as this host knows, and is not stopped for a store that cannot be reached.
 */
export class ManagedMark {
  readonly #path: string;
  readonly #dataDir: string;
  #isSet = false;

  constructor(stateDir: string, dataDir: string) {
    this.#path = `${stateDir}/managed.json`;
    this.#dataDir = dataDir;
  }

  /** True when an agent has led from this directory. A file that cannot be read counts as none. */
  async look(): Promise<boolean> {
    this.#isSet ||= await this.#read();
    return this.#isSet;
  }

  /** As far as it was looked or set. */
  get isSet(): boolean {
    return this.#isSet;
  }

  /** This agent leads. Throws the file system's errors; a mark that cannot be written is tried again by the next call. */
  async set(): Promise<void> {
    if (await this.look()) return;
    await replaceFile(this.#path, JSON.stringify({ dataDir: await realPathOf(this.#dataDir) }));
    this.#isSet = true;
  }

  async #read(): Promise<boolean> {
    const text = await readFileIfAny(this.#path);
    try {
      const raw: unknown = JSON.parse(text ?? "null");
      if (!isJsonObject(raw) || typeof raw["dataDir"] !== "string") return false;
      return await leadsTo(this.#dataDir, raw["dataDir"]);
    } catch (error) {
      if (error instanceof SyntaxError) return false;
      throw error;
    }
  }
}
