import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectionError, createClient, ProblemError, unwrap } from '@fanfare/client'
import { json, problem, serve } from './server.ts'

test('a problem has its fields', async (t) => {
  const baseUrl = await serve(t, () => problem(422, 'invalid-field', { 'Retry-After': '3' }))
  const client = createClient({ baseUrl, getToken: () => 'token' })
  await assert.rejects(unwrap(client.GET('/notifications/counts')), (error) => {
    assert(error instanceof ProblemError)
    assert.equal(error.kind, 'invalid-field')
    assert.equal(error.status, 422)
    assert.equal(error.requestId, 'the-request')
    assert.equal(error.retryAfter, 3)
    assert.deepEqual(error.violations('q'), ['must be short'])
    return true
  })
})

test('an error without a document is a problem too', async (t) => {
  const baseUrl = await serve(t, () => new Response('<h1>Bad gateway</h1>', { status: 502 }))
  const client = createClient({ baseUrl })
  await assert.rejects(unwrap(client.GET('/notifications/counts')), { name: 'ProblemError', status: 502 })
})

test('a server that cannot be reached', async () => {
  const client = createClient({ baseUrl: 'http://127.0.0.1:1' })
  await assert.rejects(unwrap(client.GET('/notifications/counts')), ConnectionError)
})

test('a request that is not answered is given up', async (t) => {
  const baseUrl = await serve(t, () => new Promise(() => {}))
  const client = createClient({ baseUrl, timeout: 50 })
  await assert.rejects(unwrap(client.GET('/notifications/counts')), ConnectionError)
})

test('an abort is no connection error', async (t) => {
  const baseUrl = await serve(t, () => new Promise(() => {}))
  const abort = new AbortController()
  const call = createClient({ baseUrl }).send('/activities/stream', { signal: abort.signal })
  abort.abort()
  await assert.rejects(call, { name: 'AbortError' })
})

test('an expired token is replaced once, and the body sent again', async (t) => {
  const bodies: string[] = []
  const baseUrl = await serve(t, async (request) => {
    bodies.push(await request.text())
    return request.headers.get('Authorization') === 'Bearer fresh'
      ? json({ marked_count: 1 })
      : problem(401, 'unauthenticated')
  })
  const asked: unknown[] = []
  let refused = 0
  const client = createClient({
    baseUrl,
    onUnauthorized: () => refused++,
    getToken: (reason) => {
      asked.push(reason)
      return reason === 'expired' ? 'fresh' : 'old'
    },
  })
  const up_to = '0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f'
  await unwrap(client.POST('/notifications/mark-all-read', { body: { up_to } }))
  assert.deepEqual(bodies, Array(2).fill(JSON.stringify({ up_to })))
  assert.deepEqual(asked, [undefined, 'expired'])
  assert.equal(refused, 0)
})

test('a token that stays refused ends the session', async (t) => {
  let requests = 0
  const baseUrl = await serve(t, () => {
    requests++
    return problem(401, 'unauthenticated')
  })
  let refused = 0
  const client = createClient({ baseUrl, getToken: () => 'old', onUnauthorized: () => refused++ })
  await assert.rejects(unwrap(client.GET('/notifications/counts')), { status: 401 })
  assert.deepEqual([requests, refused], [1, 1])
})
