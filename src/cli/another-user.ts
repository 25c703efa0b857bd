/** Whose gateway it is that does not answer to this user, and how that one is asked. Called by whatever speaks through the control socket. */
import { readFile, stat } from 'node:fs/promises'
import { errorCode } from '../base/error-code.ts'

/** @param state  the folder of a gateway that is closed to this user; @returns goes behind "belongs to" */
export async function anotherUserText(state: string): Promise<string> {
  try {
    const { uid } = await stat(state)
    return runAsText(uid, await readFile('/etc/passwd', 'utf8'))
  } catch (error) {
    // What leads to the folder may be closed, too.
    if (errorCode(error) === undefined) throw error
    return 'another user: run this as that user, or as root'
  }
}

/** @param passwd  as in passwd(5), which need not hold everybody */
export function runAsText(uid: number, passwd: string): string {
  const fields = passwd.split('\n').map((line) => line.split(':'))
  const name = fields.find(([, , id]) => id === String(uid))?.[0]
  return `another user (${name ?? uid}): run this as that user, with "sudo -u ${name ?? `'#${uid}'`}" in front`
}
