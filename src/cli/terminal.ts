/**
 * What commands write to: data on standard output, everything else on standard error. Handed in by `main.ts`; tests hand in lists.
 */

export interface Terminal {
  /** Data: what another program may read. Ends with its own newline. */
  out(text: string): void
  /** Everything else: problems, progress. Ends with its own newline. */
  err(text: string): void
}

/** What `process.exitCode` becomes: 0 fine, 1 something is wrong with what was examined, 2 could not do it. */
export type ExitCode = 0 | 1 | 2

/** Runs a command's work and keeps its exit code; what it throws is a bug or the system's refusal, and is said in one line. */
export type Run = (work: (terminal: Terminal) => Promise<ExitCode>) => Promise<void>
