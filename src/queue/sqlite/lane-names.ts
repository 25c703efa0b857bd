/** Lanes have numbers in the rows, because every row and its index carry one. For the operations beside this file. */
import type { Database } from '../../store/module.ts'

interface Names {
  readonly numbers: Map<string, number>
  readonly names: Map<number, string>
}

const mostRemembered = 200_000

function remembered(db: Database): Names {
  let names = db.memory.get('lanes') as Names | undefined
  if (!names || names.names.size > mostRemembered) {
    names = { numbers: new Map(), names: new Map() }
    db.memory.set('lanes', names)
  }
  return names
}

/** The number of a lane, which gets one where it has none. */
export function laneNumber(db: Database, name: string): number {
  return knownLane(db, name) ?? addLane(db, name)
}

/** The number of a lane, or undefined where it never had any message. */
export function knownLane(db: Database, name: string): number | undefined {
  const { numbers } = remembered(db)
  const number = numbers.get(name)
  if (number !== undefined) return number
  const row = db.sql('SELECT id FROM lane WHERE name = ?').get(name)
  if (!row) return undefined
  numbers.set(name, Number(row.id))
  return Number(row.id)
}

function addLane(db: Database, name: string): number {
  const number = Number(db.sql('INSERT INTO lane (name) VALUES (?)').run(name).lastInsertRowid)
  remembered(db).numbers.set(name, number)
  return number
}

export function laneName(db: Database, number: number): string {
  const { names } = remembered(db)
  const known = names.get(number)
  if (known !== undefined) return known
  const row = db.sql('SELECT name FROM lane WHERE id = ?').get(number)
  if (!row) throw new Error(`the lane ${number} has no name`)
  names.set(number, String(row.name))
  return String(row.name)
}
