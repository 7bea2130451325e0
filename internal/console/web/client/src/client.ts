import createFetchClient, { type Client as FetchClient } from 'openapi-fetch'
import { ConnectionError, problemOf, TokenError } from './problem.ts'
import type { paths } from './schema.d.ts'

/** Options of a client. */
export interface ClientOptions {
  /** The origin and path of the server, such as `https://fanfare.example.com`; default: that of the page. */
  baseUrl?: string
  /**
   * Returns the caller's JWT or service token. After a 401 it is called once more with `expired`, and the
   * request is repeated if the token is another one. Without it, cookies are sent.
   */
  getToken?: (reason?: 'expired') => Promise<string> | string
  /** Which requests carry cookies; default `same-origin`, with `getToken` `omit`. */
  credentials?: RequestCredentials
  /** Called when a request is refused with 401. */
  onUnauthorized?: () => void
  /** Milliseconds until a request is given up; default 30,000. */
  timeout?: number
  fetch?: (request: Request) => Promise<Response>
}

/** A client of the API: `client.GET('/notifications', …)` with the types of the OpenAPI document. */
export interface Client extends FetchClient<paths, `${string}/${string}`> {
  /** The prefix of all paths, such as `https://fanfare.example.com/v1`. */
  readonly url: string
  /** Sends a request with the client's credential, to a path such as `/activities/stream`. */
  send(path: string, init?: RequestInit & { timeout?: number }): Promise<Response>
}

/** createClient returns a client of the API. */
export function createClient(options: ClientOptions = {}): Client {
  const url = (options.baseUrl ?? '').replace(/\/$/, '') + '/v1'
  const authorized = authorizer(options)
  const timeout = options.timeout ?? 30_000
  const send = async (request: Request, limit: number): Promise<Response> => {
    try {
      return await authorized(limit === Infinity ? request : limited(request, limit))
    } catch (cause) {
      if (request.signal.aborted || cause instanceof TokenError) throw cause
      throw new ConnectionError('The server cannot be reached.', { cause })
    }
  }
  const api = createFetchClient<paths>({
    baseUrl: url,
    credentials: credentialsOf(options),
    fetch: (request) => send(request, timeout),
  })
  return Object.assign(api, {
    url,
    send: async (path: string, init: RequestInit & { timeout?: number } = {}) => {
      const target = new URL(url + path, globalThis.location?.href)
      return send(new Request(target, { credentials: credentialsOf(options), ...init }), init.timeout ?? timeout)
    },
  })
}

function credentialsOf(options: ClientOptions): RequestCredentials {
  return options.credentials ?? (options.getToken ? 'omit' : 'same-origin')
}

function limited(request: Request, limit: number): Request {
  return new Request(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(limit)]) })
}

/** authorizer returns a function that sends a request with the caller's credential. */
function authorizer(options: ClientOptions): (request: Request) => Promise<Response> {
  const fetch = options.fetch ?? ((request) => globalThis.fetch(request))
  const { onUnauthorized } = options
  const getToken = options.getToken && tokenOf(options.getToken)
  return async (request) => {
    if (!getToken) {
      const response = await fetch(request)
      if (response.status === 401) onUnauthorized?.()
      return response
    }
    const again = request.clone()
    const token = await getToken()
    request.headers.set('Authorization', `Bearer ${token}`)
    let response = await fetch(request)
    if (response.status === 401) {
      const fresh = await getToken('expired')
      if (fresh !== token) {
        again.headers.set('Authorization', `Bearer ${fresh}`)
        response = await fetch(again)
      }
    }
    if (response.status === 401) onUnauthorized?.()
    return response
  }
}

/** tokenOf returns a function whose error is a TokenError, unless the application cannot be reached either. */
function tokenOf(getToken: NonNullable<ClientOptions['getToken']>): (reason?: 'expired') => Promise<string> {
  return async (reason) => {
    try {
      return await getToken(reason)
    } catch (cause) {
      if (cause instanceof TypeError) throw cause // of fetch
      throw new TokenError('The application could not sign you in.', { cause })
    }
  }
}

/** unwrap returns the data of a call, and throws its problem: `await unwrap(client.GET('/notifications'))`. */
export async function unwrap<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<NonNullable<T>> {
  const { data, error, response } = await call
  if (!response.ok) throw await problemOf(response, error)
  return data as NonNullable<T>
}
