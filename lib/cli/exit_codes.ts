/** How a command ended, for the shell. A daemon adds 78; 70, 71 and 73 are of the executable's launcher. */
export const EXIT = { done: 0, failed: 1, usage: 2, unknown: 3 } as const;
