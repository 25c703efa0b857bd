/** Replaces the file that it is told of, and is killed when the draft is complete: for the test of `publish/targets/zone-file/replace-zone-file.ts`. */
import { systemRandom } from '../../src/base/random.ts'
import { replaceZoneFile } from '../../src/publish/targets/zone-file/replace-zone-file.ts'

await replaceZoneFile({
  path: process.argv[2] ?? '',
  bytes: Buffer.from('new\n'),
  async lastLook() {
    process.kill(process.pid, 'SIGKILL')
    return new Promise(() => {})
  },
  random: systemRandom,
})
