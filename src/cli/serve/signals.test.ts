import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { silentLog } from '../../base/log.ts'
import { stopOnSignal } from './signals.ts'

/** A gateway that takes its time to stop. */
function stage() {
  const clock = createFakeClock()
  const events = new EventEmitter()
  const told = { stops: 0, exits: [] as number[] }
  const gateway = {
    stop: () => {
      told.stops++
      return new Promise<void>(() => {})
    },
  }
  const signals = {
    on: (signal: string, run: () => void) => void events.on(signal, run),
    exit: (code: number) => void told.exits.push(code),
  }
  void stopOnSignal(gateway, () => {}, silentLog, signals, clock)
  return { clock, told, send: (signal: NodeJS.Signals) => void events.emit(signal) }
}

test('Ctrl-C under npm comes twice, from the terminal and from npm: it stops gracefully', () => {
  const { clock, told, send } = stage()
  send('SIGINT')
  clock.advance(100)
  send('SIGINT')
  assert.deepEqual(told, { stops: 1, exits: [] })
})

test('a second one ends it at once, and another signal too', () => {
  const again = stage()
  again.send('SIGTERM')
  again.clock.advance(500)
  again.send('SIGTERM')
  assert.deepEqual(again.told, { stops: 1, exits: [1] })
  const other = stage()
  other.send('SIGTERM')
  other.send('SIGINT')
  assert.deepEqual(other.told, { stops: 1, exits: [1] })
})
