/**
 * The tables of the hold, and the operations on them that run in the store's threads. `sqlite/queue.ts` names this module to `openStore`.
 *
 * What is held arrives mostly in order, so that every index of the accept path grows at its end: `message` by time of arrival, its ids too (they begin
 * with the time), bodies beside it, recipients by message. What is rare has partial indexes.
 */
import type { StoreModule } from '../../store/module.ts'
import { attemptsOf } from './attempt-rows.ts'
import { bodyOf } from './body-rows.ts'
import { counts, oldestMoments } from './count-rows.ts'
import { filesAfter, heldOf } from './file-rows.ts'
import { add, forget, hold } from './hold-rows.ts'
import { lanesOf, moveLanes, recover } from './lane-rows.ts'
import { idsWith, page } from './list-rows.ts'
import { entry } from './message-rows.ts'
import { readyTasks, unknownTasks } from './next-rows.ts'
import { countOverdue, dropKept, overdue } from './overdue-rows.ts'
import { settle, spoil } from './settle-rows.ts'
import { nextWakes, wake } from './wake-rows.ts'

const version1 = `
CREATE TABLE lane (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE message (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  received INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  due INTEGER,             -- "expires" while anything is left that may expire, else NULL
  size INTEGER NOT NULL,
  has8bit INTEGER NOT NULL,
  in_file INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  sender TEXT,             -- NULL is the null reverse-path
  trace BLOB NOT NULL,
  proof TEXT NOT NULL,     -- JSON
  facts TEXT NOT NULL      -- JSON: client, envelope
) STRICT;
CREATE INDEX message_due ON message (due) WHERE due IS NOT NULL;
CREATE INDEX message_kept ON message (seq) WHERE due IS NULL;
CREATE INDEX message_in_file ON message (seq) WHERE in_file = 1;

CREATE TABLE body (message INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;

CREATE TABLE recipient (
  message INTEGER NOT NULL,
  place INTEGER NOT NULL,
  state INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  received INTEGER NOT NULL, -- the message's
  domain TEXT NOT NULL,
  address TEXT NOT NULL,
  was_known INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER,
  backend TEXT,
  elsewhere INTEGER,
  keep_until INTEGER,
  first_refused INTEGER,
  delay_told INTEGER NOT NULL DEFAULT 0,
  reply TEXT,              -- JSON
  extra TEXT,              -- JSON: what else is known of the recipient
  PRIMARY KEY (message, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX recipient_ready ON recipient (lane, turn, message) WHERE state = 1;
CREATE INDEX recipient_unknown ON recipient (lane, turn, message) WHERE state = 3;
CREATE INDEX recipient_offered ON recipient (message) WHERE state = 0;
CREATE INDEX recipient_waits ON recipient (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX recipient_kept ON recipient (keep_until) WHERE keep_until IS NOT NULL;

CREATE TABLE attempt (
  message INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  backend TEXT,
  outcome TEXT NOT NULL,
  text TEXT NOT NULL,
  recipients INTEGER NOT NULL,
  PRIMARY KEY (message, number)
) STRICT, WITHOUT ROWID;
`

export const operations = {
  hold,
  add,
  forget,
  settle,
  spoil,
  wake,
  overdue,
  countOverdue,
  dropKept,
  readyTasks,
  unknownTasks,
  bodyOf,
  page,
  idsWith,
  nextWakes,
  entry,
  attemptsOf,
  counts,
  oldestMoments,
  lanesOf,
  moveLanes,
  recover,
  filesAfter,
  heldOf,
} as const

export type RowOperations = typeof operations

export const storeModule: StoreModule = { room: 'queue', migrations: [version1], operations }
