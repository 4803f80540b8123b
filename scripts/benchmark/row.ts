/** The two programs that are compared. */
export type Program = "agent" | "patroni";

/** What is wanted of a figure. A ratio is the agent's median by Patroni's. */
export type Wanted =
  | { readonly kind: "ratio"; readonly atMost: number }
  | { readonly kind: "ratio"; readonly atLeast: number }
  /** The agent alone, whatever Patroni has. */
  | { readonly kind: "value"; readonly atMost: number }
  /** Nothing: the figure explains another one. */
  | { readonly kind: "none" };

/** One number that a row measures. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly wanted: Wanted;
}

/** Values by the name of their figure, one for each round. */
export type Measured = Readonly<Record<string, readonly number[]>>;

/** A part of the benchmark that can be run alone. */
export interface Row {
  readonly name: string;
  readonly figures: readonly Figure[];
  /** How often it is measured unless the caller says otherwise. */
  readonly rounds: number;
  readonly measure: (program: Program, rounds: number) => Promise<Measured>;
}

/** Middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] ?? NaN;
  return ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** The value that `share` of all values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** Runs `round` so often, one after the other, and gathers the values by figure. */
export async function repeated(
  rounds: number,
  round: (index: number) => Promise<Readonly<Record<string, number>>>,
): Promise<Measured> {
  const values: Record<string, number[]> = {};
  for (let index = 0; index < rounds; index++) {
    for (const [name, value] of Object.entries(await round(index))) {
      (values[name] ??= []).push(value);
    }
  }
  return values;
}
