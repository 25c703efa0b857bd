/**
 * Whether a folder lies on another machine, where SQLite's WAL does not work (https://sqlite.org/wal.html: all users share memory) and a lock may
 * mean nothing.
 */
import { statfsSync } from 'node:fs'
import { platform } from 'node:os'

/** Magic numbers of statfs(2), which are Linux's. FUSE is not among them: it may be local as well. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB 2'],
  [0xff534d42, 'CIFS'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9P'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
])

/** The name of the network file system that the folder lies on, or undefined where it is on none that we can tell. */
export function networkFileSystem(folder: string): string | undefined {
  return platform() === 'linux' ? networkFileSystems.get(statfsSync(folder).type >>> 0) : undefined
}
