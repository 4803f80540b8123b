import { decide } from "../../lib/core/decide.ts";
import { evolve, remember } from "../../lib/core/memory.ts";
import type { Brain } from "./world.ts";

/** The functions of the product. */
export const productBrain: Brain = { decide, evolve, remember };
