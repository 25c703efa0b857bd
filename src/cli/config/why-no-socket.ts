/** Why mail could not be handed over at a Unix socket, for whoever looks after it: what is there instead, and what to do. Called by `doubts.ts`. Pure. */

/** @param code  of the system, `ENOTSOCK` where something else is there; @returns undefined where there is nothing to add to it */
export function whyNoSocket(path: string, code: string): string | undefined {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `there is no ${path}: start the server that makes it, or see where that listens`
    case 'ENOTSOCK':
      return `${path} is no socket`
    case 'EACCES':
      return `${path}, or what leads to it, is closed to this user: the server that makes it says who may use it (in Dovecot the unix_listener's user, group and mode)`
    default:
      return undefined
  }
}
