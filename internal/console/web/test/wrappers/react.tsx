import { FanfareActivity, FanfareFollow, FanfareInbox, FanfarePreferences, FanfareProvider } from '@fanfare/react'
import type { FanfareInbox as InboxElement } from '@fanfare/widgets'
import { createRef, StrictMode } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { page, received, type Shown } from './shown.ts'

const inbox = createRef<InboxElement>()

function App({ widgets, resource, limit, label, theme, handler }: Shown) {
  const call = (event: CustomEvent<unknown>) => received(handler, event)
  return (
    <FanfareProvider getToken={page.getToken} texts={label ? { inbox: { label } } : undefined}>
      {widgets.includes('inbox') && (
        <FanfareInbox ref={inbox} id="bell" className="mine" {...(theme ? { theme } : {})} onOpen={call} />
      )}
      {widgets.includes('activity') && <FanfareActivity resource={resource} {...(limit ? { limit } : {})} />}
      {widgets.includes('follow') && <FanfareFollow resource={resource} onFollowed={call} />}
      {widgets.includes('preferences') && <FanfarePreferences onSaved={call} />}
    </FanfareProvider>
  )
}

let root: Root | undefined

page.show = (shown) => {
  if (!shown) {
    root?.unmount()
    root = undefined
    return
  }
  root ??= createRoot(document.querySelector('#app')!)
  root.render(
    <StrictMode>
      <App {...shown} />
    </StrictMode>,
  )
}
page.refers = () => inbox.current === document.querySelector('fanfare-inbox')
