import type { ServerChoice } from "./dsn.ts";
import type { EditOptions } from "./edit_config.ts";
import type { FlushOptions } from "./flush.ts";
import type { QueryOptions } from "./query.ts";
import type { ReinitOptions } from "./reinit_copy.ts";
import type { RestartOptions } from "./restart_options.ts";
import type { Selection } from "./selection.ts";
import type { TopologyOptions } from "./topology.ts";

/** What an operator's command line asks for, by the name of the command. */
export type Wish =
  | { readonly command: "topology"; readonly options: TopologyOptions }
  | { readonly command: "show-config" }
  | { readonly command: "edit-config"; readonly options: EditOptions }
  | { readonly command: "restart"; readonly options: RestartOptions }
  | { readonly command: "reinit"; readonly options: ReinitOptions }
  | { readonly command: "reload"; readonly options: Selection }
  | { readonly command: "flush"; readonly options: FlushOptions }
  | { readonly command: "dsn"; readonly options: ServerChoice }
  | { readonly command: "query"; readonly options: QueryOptions }
  | { readonly command: "version"; readonly names: readonly string[] }
  | { readonly command: "remove" };
