/**
 * A command line that cannot be meant: thrown by commands for what commander does not see itself, and told by `program.ts` as commander's own errors are, with
 * where the help is.
 */
export class Misuse extends Error {
  /** What is wrong, a sentence each. */
  readonly whys: readonly string[]

  /** @param whys  safe to be shown */
  constructor(...whys: readonly string[]) {
    super(whys.join('; '))
    this.whys = whys
  }
}
