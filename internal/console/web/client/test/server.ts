import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import type { ReadableStream } from 'node:stream/web'

type Answer = (request: Request) => Response | Promise<Response>

/** serve answers HTTP requests until the test ends, and returns its address. */
export async function serve(t: TestContext, answer: Answer): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const withBody = incoming.method !== 'GET'
      const request = new Request(`http://server${incoming.url}`, {
        method: incoming.method ?? 'GET',
        headers: incoming.headers as Record<string, string>,
        ...(withBody ? { body: Readable.toWeb(incoming) as unknown as BodyInit, duplex: 'half' } : {}),
      } as RequestInit)
      const response = await answer(request)
      outgoing.writeHead(response.status, Object.fromEntries(response.headers))
      if (response.body) Readable.fromWeb(response.body as ReadableStream).pipe(outgoing)
      else outgoing.end()
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
}

export function problem(status: number, kind: string, headers: Record<string, string> = {}): Response {
  const body = {
    type: `/problems/${kind}`,
    title: 'A title',
    detail: 'A detail.',
    status,
    request_id: 'the-request',
    errors: [{ field: 'q', rule: 'must be short' }],
  }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  })
}
