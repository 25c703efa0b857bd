/** An envelope in a folder of `export`, as far as who writes it anew looks at it: `export` itself, and `import` where it leaves recipients out. */
import { z } from 'zod'
import { isMissing } from '../../base/error-code.ts'
import { readRegular } from '../../base/regular-file.ts'

const shape = z.looseObject({
  isTaken: z.boolean(),
  recipients: z.array(z.looseObject({ index: z.number() })),
})

export type EnvelopeInFolder =
  | { readonly kind: 'envelope'; readonly envelope: z.output<typeof shape> }
  /** Nothing that means anything. */
  | { readonly kind: 'none' }
  /** Nothing that we read: a link, a pipe, a folder, or far too large. */
  | { readonly kind: 'irregular' }

const mostBytes = 64 * 1024 * 1024

/** Rejects with the system's error. */
export async function readEnvelopeInFolder(path: string): Promise<EnvelopeInFolder> {
  try {
    const found = await readRegular(path, 'none', mostBytes)
    if (found.kind !== 'read') return { kind: 'irregular' }
    const parsed = shape.safeParse(JSON.parse(found.bytes.toString('utf8')))
    return parsed.success ? { kind: 'envelope', envelope: parsed.data } : { kind: 'none' }
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return { kind: 'none' }
    throw error
  }
}
