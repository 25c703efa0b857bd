/**
 * Reads waypost.yaml beside the main thread, so that a reload of a hundred thousand domains does not stop the mail: `worker.ts` reads,
 * and hands the domains over piece by piece, each when it is asked for. For `LoadDeps.read`.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ReadInPieces, ReadPieces } from './load.ts'
import type { Plan, PlannedDomain, Summary } from './plan.ts'
import type { Problem } from './source.ts'

/** What the worker says first. */
export type WorkerResult =
  | {
      readonly kind: 'read'
      readonly plan: Omit<Plan, 'domains'>
      readonly summary: Summary
      readonly copy: Uint8Array<ArrayBuffer>
    }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[]; readonly state?: string | undefined }

/** And then, to each `next`. */
export type WorkerPiece =
  | { readonly kind: 'piece'; readonly domains: readonly PlannedDomain[] }
  | { readonly kind: 'end' }

export interface WorkerOrder {
  readonly path: string
  readonly machineName: string
}

export const readInBackground: ReadInPieces = async (path, machineName): Promise<ReadPieces> => {
  const order: WorkerOrder = { path, machineName }
  // `worker.ts` from a checkout, `worker.js` from the package: whatever this file is.
  const worker = new Worker(new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url), { workerData: order })
  const [result] = (await once(worker, 'message')) as [WorkerResult]
  if (result.kind === 'invalid') {
    await worker.terminate()
    return result
  }
  return { ...result, domains: pieces(worker) }
}

async function* pieces(worker: Worker): AsyncGenerator<readonly PlannedDomain[]> {
  try {
    for (;;) {
      worker.postMessage('next')
      const [piece] = (await once(worker, 'message')) as [WorkerPiece]
      if (piece.kind === 'end') return
      yield piece.domains
    }
  } finally {
    await worker.terminate()
  }
}
