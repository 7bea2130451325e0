import {
  FanfareActivity,
  FanfareFollow,
  FanfareInbox,
  FanfarePreferences,
  FanfareProvider,
  type OpenDetail,
} from '@fanfare/react'
import { type FormEvent, useEffect, useState } from 'react'
import { comment, type Session } from '../shared/application.ts'

interface AppProps {
  session: Session
  getToken: (reason?: 'expired') => Promise<string>
}

export function App({ session, getToken }: AppProps) {
  const [view, setView] = useState(location.hash.slice(1) || 'project')
  const [opened, setOpened] = useState('')
  useEffect(() => {
    const changed = () => setView(location.hash.slice(1) || 'project')
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  const open = (event: CustomEvent<OpenDetail>) => {
    event.preventDefault() // this page shows the activity itself
    const { activity } = event.detail
    location.hash = '#project'
    setOpened(activity.ui_hints.summary || activity.action)
  }
  return (
    <FanfareProvider apiUrl={session.api_url} getToken={getToken}>
      <header className="bar">
        <strong>Acme</strong>
        <nav aria-label="Pages">
          {['project', 'settings'].map((name) => (
            <a key={name} href={`#${name}`} aria-current={name === view ? 'page' : undefined}>
              {name === 'project' ? 'Project' : 'Settings'}
            </a>
          ))}
        </nav>
        <span className="user">{session.user.name}</span>
        <FanfareInbox onOpen={open} />
      </header>
      {view === 'settings' ? <Settings /> : <Project session={session} opened={opened} open={open} />}
    </FanfareProvider>
  )
}

function Settings() {
  return (
    <main>
      <div className="title">
        <h1>Settings</h1>
      </div>
      <section className="card padded">
        <h2>Notifications</h2>
        <FanfarePreferences />
      </section>
    </main>
  )
}

interface ProjectProps {
  session: Session
  opened: string
  open: (event: CustomEvent<OpenDetail>) => void
}

function Project({ session: { project, colleague }, opened, open }: ProjectProps) {
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    void comment(String(new FormData(form).get('text')))
    form.reset()
  }
  return (
    <main>
      <div className="title">
        <h1>{project.name}</h1>
        <FanfareFollow resource={project.id} />
      </div>
      <p className="opened" role="status">
        {opened}
      </p>
      <div className="columns">
        <section className="card">
          <h2>Recent activity</h2>
          <FanfareActivity resource={project.id} limit={10} onOpen={open} />
        </section>
        <section className="card">
          <h2>Comment</h2>
          <form onSubmit={send}>
            <label htmlFor="text">As {colleague.name}</label>
            <textarea id="text" name="text" maxLength={500} required />
            <button className="primary">Send</button>
          </form>
        </section>
      </div>
    </main>
  )
}
