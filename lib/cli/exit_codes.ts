/** How a command ended, for the shell. */
export const EXIT = { done: 0, failed: 1, usage: 2, unknown: 3 } as const;
