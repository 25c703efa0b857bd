/** `/check`: any domain, looked at now. */
import { check } from './checking.ts'
import { h } from './element.ts'
import { mayAct, type Stage } from './stage.ts'

export function checkPage(stage: Stage): void {
  const input = h('input', {
    id: 'domain',
    name: 'domain',
    required: true,
    maxlength: 300,
    autocapitalize: 'none',
    spellcheck: 'false',
    placeholder: 'example.com',
    inputmode: 'url',
  })
  const go = h('button', { class: 'primary' }, 'Check')
  const form = h(
    'form',
    { class: 'filters', role: 'search' },
    h('div', { class: 'field wide' }, h('label', { for: 'domain' }, 'Domain'), input),
    go,
  )
  const result = h('section', { class: 'card', 'aria-label': 'Result', hidden: true })
  const who =
    stage.self.role === 'glance'
      ? 'Checks are for people who have logged in.'
      : mayAct(stage.self)
        ? 'Its DNS is read from the root down, every name server is asked by itself, and every exchanger is met over SMTP, up to the recipient and no further.'
        : 'You may check the domains that are declared here.'
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    go.disabled = true
    result.hidden = false
    await check(input.value, result, stage)
    go.disabled = false
  })
  stage.main.replaceChildren(
    h('header', {}, h('h1', {}, 'Check a domain'), h('p', { class: 'dim' }, who)),
    h('section', { class: 'card', 'aria-label': 'Which domain' }, form),
    result,
  )
  const asked = new URLSearchParams(location.search).get('domain')
  if (asked) input.value = asked
}
