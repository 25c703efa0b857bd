/**
 * The control socket: how `waypost backend` and its like talk to the running gateway, through `control.sock` in the state folder.
 * One line of JSON asks, one answers, in order. Only the folder's owner can open it (0600 in 0700), so nobody else is asked for.
 * It is also how a second gateway on the same state notices the first.
 */
import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { type Clock, Deadline } from '../../base/clock.ts'
import { type Door, systemDoor } from '../../base/door.ts'
import { printable } from '../../base/printable.ts'

export interface ControlRequest {
  /** `backend.list`, `config.reload`, … */
  readonly command: string
  readonly arguments?: Readonly<Record<string, unknown>>
  /** Who asks, for the history: `ann on the command line`. */
  readonly by?: string
}

export type ControlAnswer =
  | { readonly kind: 'done'; readonly result: unknown }
  /** The gateway understood and could not, in words. */
  | { readonly kind: 'failed'; readonly why: string }

/** Answers one command. What it throws becomes `failed` without its text, and is told to `onError`. */
export type ControlHandler = (
  given: Readonly<Record<string, unknown>>,
  by?: string,
) => Promise<ControlAnswer> | ControlAnswer

export type ControlHandlers = Readonly<Record<string, ControlHandler>>

export interface ControlOptions {
  readonly path: string
  readonly clock: Clock
  readonly onError: (command: string, error: unknown) => void
  readonly door?: Door
}

export type Control =
  | { readonly kind: 'listening'; close(): Promise<void> }
  /** A living process listens there already. */
  | { readonly kind: 'in-use' }

export const controlPath = (state: string): string => join(state, 'control.sock')

/** A Unix socket's address holds 108 octets on Linux, the final NUL among them. */
export const maxControlPath = 107

const maxRequestChars = 64 * 1024
const maxAnswerChars = 32 * 1024 * 1024
const maxConnections = 32
const idleMs = 30_000

/** Binds the socket. One that a dead process left is replaced. Rejects with the system's error. */
export async function createControl(options: ControlOptions, handlers: ControlHandlers): Promise<Control> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, options, handlers)
  })
  server.maxConnections = maxConnections
  if (!(await listen(server, options.path))) {
    if (await isAlive(options)) return { kind: 'in-use' }
    await rm(options.path, { force: true })
    if (!(await listen(server, options.path))) return { kind: 'in-use' }
  }
  await chmod(options.path, 0o600)
  return {
    kind: 'listening',
    async close() {
      const closed = new Promise<void>((done) => server.close(() => done()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** @returns false where the address is taken */
function listen(server: Server, path: string): Promise<boolean> {
  return new Promise((done, failed) => {
    const onError = (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? done(false) : failed(error))
    server.once('error', onError)
    server.listen(path, () => {
      server.off('error', onError)
      done(true)
    })
  })
}

async function isAlive(options: ControlOptions): Promise<boolean> {
  const asked = await askControl(options.path, { command: 'ping' }, { ...options, timeoutMs: 2000 })
  // Silence is a process too: one that hangs still owns the state.
  return asked.kind !== 'not-running'
}

function serve(socket: Socket, { clock, onError }: ControlOptions, handlers: ControlHandlers): void {
  const idle = new Deadline(clock, () => socket.destroy())
  idle.arm(idleMs)
  let pending = ''
  let isBusy = false
  const next = () => {
    const end = pending.indexOf('\n')
    if (isBusy || end < 0) return
    const line = pending.slice(0, end)
    pending = pending.slice(end + 1)
    isBusy = true
    idle.disarm()
    void answer(line, handlers, onError).then((answered) => {
      isBusy = false
      idle.arm(idleMs)
      if (socket.writable) socket.write(`${JSON.stringify(answered)}\n`)
      socket.resume()
      next()
    })
  }
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    pending += chunk
    if (pending.length > maxRequestChars) return void socket.destroy()
    if (isBusy) socket.pause()
    next()
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => idle.end())
}

async function answer(
  line: string,
  handlers: ControlHandlers,
  onError: ControlOptions['onError'],
): Promise<ControlAnswer> {
  const request = parseRequest(line)
  if (!request) return { kind: 'failed', why: 'not a request' }
  if (request.command === 'ping') return { kind: 'done', result: null }
  const handler = Object.hasOwn(handlers, request.command) ? handlers[request.command] : undefined
  if (!handler)
    return { kind: 'failed', why: 'the running gateway does not know this command; is it of another version?' }
  try {
    return await handler(request.arguments ?? {}, request.by)
  } catch (error) {
    onError(request.command, error)
    return { kind: 'failed', why: 'the gateway met an error of its own; see its log' }
  }
}

function parseRequest(line: string): ControlRequest | undefined {
  const value = parseJson(line)
  if (typeof value !== 'object' || value === null || !('command' in value)) return undefined
  const given = 'arguments' in value ? value.arguments : {}
  if (typeof value.command !== 'string' || typeof given !== 'object' || given === null) return undefined
  const by = 'by' in value && typeof value.by === 'string' ? { by: printable(value.by, 100) } : {}
  return { command: value.command, arguments: given as Record<string, unknown>, ...by }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export type Asked =
  | ControlAnswer
  /** Nobody listens there. */
  | { readonly kind: 'not-running' }
  /** The socket is there and is not this user's to open. */
  | { readonly kind: 'forbidden' }
  /** It took longer than `timeoutMs`, or what came is no answer. */
  | { readonly kind: 'no-answer'; readonly why: string }

export interface AskOptions {
  readonly clock: Clock
  readonly door?: Door
  readonly timeoutMs: number
}

/** Asks the running gateway. @param path  of its control socket */
export function askControl(path: string, request: ControlRequest, options: AskOptions): Promise<Asked> {
  const opening = (options.door ?? systemDoor).open('client', { kind: 'unix', path })
  if (opening.kind === 'forbidden') return Promise.resolve({ kind: 'forbidden' })
  const { socket } = opening
  return new Promise((done) => {
    const finish = (asked: Asked) => {
      deadline.end()
      socket.destroy()
      done(asked)
    }
    const deadline = new Deadline(options.clock, () => finish({ kind: 'no-answer', why: 'it took too long' }))
    deadline.arm(options.timeoutMs)
    const chunks: string[] = []
    let length = 0
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    socket.on('data', (chunk: string) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > maxAnswerChars) finish({ kind: 'no-answer', why: 'it is too long' })
      else if (chunk.includes('\n')) finish(parseAnswer(chunks.join('')))
    })
    socket.on('close', () => finish({ kind: 'no-answer', why: 'the gateway closed the connection' }))
    socket.on('error', (error: NodeJS.ErrnoException) => finish(askedOf(error)))
  })
}

function parseAnswer(text: string): Asked {
  const value = parseJson(text.slice(0, text.indexOf('\n')))
  if (typeof value === 'object' && value !== null && 'kind' in value) {
    if (value.kind === 'done') return { kind: 'done', result: 'result' in value ? value.result : null }
    if (value.kind === 'failed' && 'why' in value) return { kind: 'failed', why: String(value.why) }
  }
  return { kind: 'no-answer', why: 'it cannot be read' }
}

function askedOf({ code }: NodeJS.ErrnoException): Asked {
  if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'not-running' }
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'forbidden' }
  return { kind: 'no-answer', why: `the connection failed (${code})` }
}
