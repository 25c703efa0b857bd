/** Why nothing can be written into a Maildir, for whoever looks after it: which folder it is, and what to do. Called by `maildir.ts`, and by `waypost config check`. Pure. */
import { basename, dirname } from 'node:path'

/** The folder that must be there before mail comes; one that is everybody's box is made itself. @param path  of the backend, absolute */
export function folderBefore(path: string): string {
  const [fixed = '', ...below] = path.split('/{local}')
  return below.length > 0 ? fixed || '/' : dirname(path)
}

/** @param code  of the system; @returns undefined where there is nothing to add to it */
export function whyNoMaildir(path: string, code: string): string | undefined {
  const folder = folderBefore(path)
  const isForEach = path.includes('{local}')
  switch (code) {
    case 'ENOENT':
      return isForEach
        ? `the folder ${folder} is missing: make it, and a folder in it for each who gets mail`
        : `the folder ${folder} is missing, and only "${basename(path)}" in it is made by itself: make it`
    case 'ENOTDIR':
      return `${isForEach ? folder : path}, or what leads to it, is no folder`
    case 'EACCES':
      return `${isForEach ? `a box in ${folder}, or what leads to it,` : path} may not be written by the user that Waypost runs as`
    case 'EROFS':
      return `${isForEach ? folder : path} lies on a file system that is mounted read-only`
    case 'ETIMEDOUT':
      return `the disk of ${isForEach ? folder : path} does not answer`
    default:
      return undefined
  }
}
