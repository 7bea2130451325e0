import type { Client } from './client.ts'
import { problemOf, ProblemError } from './problem.ts'
import type { Event } from './types.ts'

/** Options of tail. */
export interface TailOptions {
  event: (event: Event) => void
  /** `waiting` until a stream is open again. */
  state?: (state: 'live' | 'waiting' | 'ended', error?: unknown) => void
  /** Ends the tail. */
  signal: AbortSignal
  /** The id of the last event that was received, to resume after it. */
  lastEventId?: string
}

/**
 * tail receives the tenant's activities as they happen (`activity:read`). After an interruption it resumes
 * where it was. It ends when the signal is aborted or the API refuses.
 */
export async function tail(client: Client, options: TailOptions): Promise<void> {
  let lastId = options.lastEventId
  for (let delay = 500; !options.signal.aborted; delay = Math.min(delay * 2, 20_000)) {
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' }
      if (lastId) headers['Last-Event-ID'] = lastId
      const response = await client.send('/activities/stream', {
        headers,
        signal: options.signal,
        timeout: Infinity,
      })
      if (!response.ok || !response.body) throw await problemOf(response)
      options.state?.('live')
      for await (const message of messages(response.body)) {
        delay = 500
        if (message.id) lastId = message.id
        if (message.event === 'activity') options.event(JSON.parse(message.data) as Event)
      }
    } catch (error) {
      if (options.signal.aborted) return
      if (error instanceof ProblemError && [401, 403, 404].includes(error.status)) {
        options.state?.('ended', error)
        return
      }
    }
    options.state?.('waiting')
    await pause(delay * (0.5 + Math.random() / 2), options.signal)
  }
}

interface Message {
  id: string
  event: string
  data: string
}

/** messages reads server-sent events. */
async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader()
  let rest = ''
  let message: Message = { id: '', event: '', data: '' }
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      const lines = (rest + value).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const text = line.replace(/\r$/, '')
        if (text === '') {
          if (message.id || message.data) yield message
          message = { id: '', event: '', data: '' }
          continue
        }
        const colon = text.indexOf(':')
        const field = colon < 0 ? text : text.slice(0, colon)
        const content = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '')
        if (field === 'id') message.id = content
        else if (field === 'event') message.event = content
        else if (field === 'data') message.data += (message.data && '\n') + content
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
