import { FanfareActivity, FanfareFollow, FanfareInbox, FanfarePreferences, FanfareProvider } from '@fanfare/vue'
import { type App, createApp, h, ref, shallowRef } from 'vue'
import { page, received, type Shown } from './shown.ts'

const inbox = ref<Element>()
const shown = shallowRef<Shown>()

function render() {
  if (!shown.value) return undefined
  const { widgets, resource, limit, label, theme, handler } = shown.value
  const call = (event: CustomEvent<unknown>) => received(handler, event)
  return h(FanfareProvider, { getToken: page.getToken, texts: label ? { inbox: { label } } : undefined }, () => [
    widgets.includes('inbox') &&
      h(FanfareInbox, { ref: inbox, id: 'bell', class: 'mine', ...(theme ? { theme } : {}), onOpen: call }),
    widgets.includes('activity') && h(FanfareActivity, { resource, ...(limit ? { limit } : {}) }),
    widgets.includes('follow') && h(FanfareFollow, { resource, onFollowed: call }),
    widgets.includes('preferences') && h(FanfarePreferences, { onSaved: call }),
  ])
}

let app: App | undefined

page.show = (next) => {
  shown.value = next
  if (!next) {
    app?.unmount()
    app = undefined
    return
  }
  if (!app) {
    app = createApp({ setup: () => render })
    app.mount('#app')
  }
}
page.refers = () => inbox.value === document.querySelector('fanfare-inbox')
