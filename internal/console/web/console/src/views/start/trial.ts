import { type components, unwrap } from '@fanfare/client'
import type { App } from '../../app.ts'

type Notification = components['schemas']['Notification']

/** How long a trial waits for its notification, in milliseconds. */
const patience = 30_000
const interval = 1000

export type Trial =
  | { phase: 'sending' }
  | { phase: 'waiting'; activity: string }
  | { phase: 'arrived'; activity: string; notification: Notification; milliseconds: number; live: boolean }
  | { phase: 'missing'; activity: string }
  | { phase: 'failed'; error: unknown }

/**
 * sendOne sends the caller a notification, and waits until it is in the inbox. It is live if it came over the
 * WebSocket first.
 */
export async function sendOne(app: App, shown: (trial: Trial) => void, signal: AbortSignal): Promise<void> {
  const began = performance.now()
  const pushed = new Map<string, number>()
  let wake = (): void => {}
  const stop = app.realtime.listen({
    event: (event) => {
      if (pushed.size < 1000) pushed.set(event.event_id, performance.now() - began)
      wake()
    },
  })
  try {
    shown({ phase: 'sending' })
    const { activity_id: activity } = await unwrap(app.client.POST('/notifications/test'))
    shown({ phase: 'waiting', activity })
    while (performance.now() - began < patience && !signal.aborted) {
      const notification = await found(app, activity)
      if (notification) {
        const milliseconds = pushed.get(activity) ?? performance.now() - began
        shown({ phase: 'arrived', activity, notification, milliseconds, live: pushed.has(activity) })
        return
      }
      await new Promise<void>((done) => {
        const timer = setTimeout(done, interval)
        wake = () => {
          clearTimeout(timer)
          done()
        }
      })
    }
    if (!signal.aborted) shown({ phase: 'missing', activity })
  } catch (error) {
    shown({ phase: 'failed', error })
  } finally {
    stop()
  }
}

/** found looks for the notification among the newest ones: asking by its id is refused until it arrives. */
async function found(app: App, id: string): Promise<Notification | undefined> {
  const query = { limit: 20 }
  const { items } = await unwrap(app.client.GET('/notifications', { params: { query } }))
  return items.find((n) => n.event.event_id === id)
}
