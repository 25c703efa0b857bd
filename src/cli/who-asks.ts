/** Who runs this command, as the history names him: the name by which he logged in, also behind sudo. Only the owner of the state folder can ask the gateway at all. */
import { userInfo } from 'node:os'
import { errorCode } from '../base/error-code.ts'
import { printable } from '../base/printable.ts'

export function whoAsks(environment: NodeJS.ProcessEnv): string {
  return `${printable(environment.SUDO_USER || nameOfUser(), 64)} on the command line`
}

function nameOfUser(): string {
  try {
    return userInfo().username
  } catch (error) {
    // A container may run as a user that it has no name for.
    if (errorCode(error) === undefined) throw error
    return `user ${process.getuid?.() ?? '?'}`
  }
}
