/** What leads the checks of `waypost watch` and `waypost serve` into the lab's Internet instead of the world's. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CleanDomain } from './clean-domain.ts'

/** @param folder  where the root hints are written to */
export async function watchFlags(lab: CleanDomain, folder: string): Promise<readonly string[]> {
  const hints = join(folder, 'root.hints')
  await writeFile(hints, lab.internet.rootHints.map((at) => `. 3600 A ${at}\n`).join(''))
  return [
    ...['--private', '--root-hints', hints, '--dns-port', String(lab.internet.port)],
    ...['--https-port', String(lab.policyHost.port), '--validation-zones', 'lab,broken.lab'],
    ...['--known-exchanger', 'mx.known.lab'],
  ]
}
