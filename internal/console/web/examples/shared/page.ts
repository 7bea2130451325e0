// The pages without a framework: their markup is in their template, and this connects it.
import { createClient, type OpenDetail, setClient, type TextOverrides } from '@fanfare/widgets'
import { comment, getToken, session } from './application.ts'

/** Shows the page, with the widgets' texts. */
export async function show(texts?: TextOverrides): Promise<void> {
  const { api_url, user, colleague, project } = await session()
  setClient(createClient({ baseUrl: api_url, getToken }))

  const page = document.querySelector('template')!.content.cloneNode(true) as DocumentFragment
  const all = <E extends Element>(selector: string) => [...page.querySelectorAll<E>(selector)]
  all('[data-user]').forEach((e) => (e.textContent = user.name))
  all('[data-colleague]').forEach((e) => (e.textContent = colleague.name))
  all('[data-project]').forEach((e) => (e.textContent = project.name))
  all('fanfare-activity, fanfare-follow').forEach((e) => e.setAttribute('resource', project.id))
  document.body.append(page)
  if (texts) {
    document
      .querySelectorAll('fanfare-inbox, fanfare-activity, fanfare-preferences, fanfare-follow')
      .forEach((e) => Object.assign(e, { texts }))
  }

  const views = [...document.querySelectorAll<HTMLElement>('[data-view]')]
  const route = () => {
    const name = location.hash.slice(1) || 'project'
    views.forEach((view) => (view.hidden = view.dataset['view'] !== name))
    document.querySelectorAll('nav a').forEach((link) => {
      if (link.getAttribute('href') === `#${name}`) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    })
  }
  addEventListener('hashchange', route)
  route()

  const opened = document.querySelector('[data-opened]')!
  document.addEventListener('fanfare-open', (event) => {
    event.preventDefault() // this page shows the activity itself
    const { activity } = (event as CustomEvent<OpenDetail>).detail
    location.hash = '#project'
    opened.textContent = activity.ui_hints.summary || activity.action
  })

  const form = document.querySelector('form')!
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const text = String(new FormData(form).get('text'))
    form.reset()
    void comment(text)
  })
}
