/** The way in: opens the session of a link (its key stands behind the "#", which no server and no log is sent), or asks for name and password. */
import { ask } from './ask.ts'

const told = document.querySelector<HTMLElement>('#told')
const form = document.querySelector<HTMLFormElement>('#login')
const key = location.hash.slice(1)

if (key !== '') {
  // It worked once, and must not stay in the history.
  history.replaceState(null, '', location.pathname)
  void open({ key })
} else showForm()

async function open(credentials: Readonly<Record<string, string>>): Promise<void> {
  const answer = await ask<unknown>('POST', '/api/session', credentials)
  if (answer.kind === 'ok') {
    location.replace(location.pathname === '/enter' ? '/' : location.pathname + location.search)
    return
  }
  if (told) told.textContent = `That did not work: ${answer.why}.`
  told?.classList.add('bad')
  showForm()
}

function showForm(): void {
  if (!form) return
  form.hidden = false
  form.querySelector('input')?.focus()
}

form?.addEventListener('submit', (event) => {
  event.preventDefault()
  const said = new FormData(form)
  void open({ name: String(said.get('name') ?? ''), secret: String(said.get('secret') ?? '') })
})
