/**
 * Held mail leaves for a folder (`taking-out`) and comes back from one (`taking-in`), for an outage that outlives a machine. `cli/queue/export` and
 * `import` write the files and ask here for each step, so that a crash between any two loses nothing and does nothing twice: what is taken out is held
 * back first and removed when its files are on the disk; what is taken in is held back until the folder says that it was.
 */
import { createTakingIn, type TakingIn, type TakingInDeps } from './taking-in.ts'
import { createTakingOut, type TakingOut, type TakingOutDeps } from './taking-out.ts'

export interface QueueTransfer extends TakingOut, TakingIn {}

export const createQueueTransfer = (deps: TakingOutDeps & TakingInDeps): QueueTransfer => ({
  ...createTakingOut(deps),
  ...createTakingIn(deps),
})
