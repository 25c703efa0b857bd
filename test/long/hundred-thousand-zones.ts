/**
 * Serves 100,000 domains and changes them, and prints what changed and the longest pause each time, as lines of JSON. A process of its own
 * for its test: the test runner follows every promise, which costs pauses of its own.
 */
import { zones } from '../../bench/authority/load.ts'
import { startAuthority } from '../lab/authority.ts'
import { zoneOf } from '../lab/zone-lines.ts'

const sources = () => Array.from(zones(100_000), ({ origin, lines }) => zoneOf(origin, lines))
const { authority } = await startAuthority({ after: () => undefined }, [])

/** The longest that the thread worked between two looks at what has come, in its own time: other programs' share is not ours. */
function watchPauses(): () => number {
  let longestMs = 0
  let before: NodeJS.CpuUsage | undefined
  let isOver = false
  const look = () => {
    if (before) {
      const { user, system } = process.threadCpuUsage(before)
      longestMs = Math.max(longestMs, (user + system) / 1000)
    }
    before = process.threadCpuUsage()
    if (!isOver) setImmediate(look)
  }
  look()
  return () => {
    isOver = true
    return longestMs
  }
}

async function replace(next: ReturnType<typeof sources>): Promise<void> {
  const end = watchPauses()
  const { changed, unchanged, removed } = await authority.replaceZones(next)
  const pauseMs = end()
  process.stdout.write(`${JSON.stringify({ counts: [changed.length, unchanged, removed], pauseMs })}\n`)
}

await replace(sources())
const again = sources()
await replace(again)
const moved = again.map((source, index) => (index === 7 ? { ...source, records: source.records.slice(0, -1) } : source))
await replace(moved)
await replace(moved.slice(0, 50_000))
await authority.stop()
