/**
 * The application that frames or has opened the console hands its JWT over by postMessage:
 *
 *   console      → application  {type: 'fanfare.token-request', reason: 'start' | 'expired'}
 *   application  → console      {type: 'fanfare.token', token: '…'}
 *
 * Requests contain nothing secret. Answers count only from the origins of --console-origins.
 */
export interface HandOver {
  /** Asks for a token, and returns undefined where none comes within the time. */
  token(reason: 'start' | 'expired', timeout: number): Promise<string | undefined>
}

/** handOver returns the hand-over of an embedding or opening application, if there is one. */
export function handOver(origins: readonly string[]): HandOver | undefined {
  const application = window.parent !== window ? window.parent : (window.opener as Window | null)
  if (!application || origins.length === 0) return undefined
  return {
    token: (reason, timeout) =>
      new Promise((resolve) => {
        const done = (token: string | undefined): void => {
          clearTimeout(timer)
          window.removeEventListener('message', receive)
          resolve(token)
        }
        const receive = (event: MessageEvent<unknown>): void => {
          if (event.source !== application || !origins.includes(event.origin)) return
          const data = event.data as { type?: unknown; token?: unknown } | null
          if (data?.type === 'fanfare.token' && typeof data.token === 'string') done(data.token)
        }
        const timer = setTimeout(() => done(undefined), timeout)
        window.addEventListener('message', receive)
        for (const origin of origins) application.postMessage({ type: 'fanfare.token-request', reason }, origin)
      }),
  }
}
