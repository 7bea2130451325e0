import assert from 'node:assert/strict'
import { test } from 'node:test'
import { excerptOf, sayingOf } from '@fanfare/elements/excerpt'

const of = (payload: Record<string, unknown>, summary = 'Linus commented') =>
  excerptOf({ payload, ui_hints: { summary } })

test('an excerpt is the first text of the payload, in one line', () => {
  assert.equal(of({ comment_id: 'c', body: ' It works\n\n now. ' }), 'It works now.')
  assert.equal(of({ body: '', error: 'block 17 failed', reason: 'x' }), 'block 17 failed')
  assert.equal(of({ body: 17, changed: ['title'] }), '')
  assert.equal(of({ body: 'Agreed.' }, 'Linus: Agreed.'), '')
  assert.equal(excerptOf({ ui_hints: { summary: '' } }), '')
})

test('what an activity says keeps its lines', () => {
  const says = (body: string, summary = '') => sayingOf({ payload: { body }, ui_hints: { summary } })
  assert.equal(says(' It works\n\n now. '), 'It works\n\n now.')
  assert.equal(says('x'.repeat(10_000)).length, 10_000)
  assert.equal(says('It\nworks.', 'Linus: It works.'), '')
})

test('a long text is cut between characters', () => {
  const cut = of({ body: '🙂'.repeat(10_000) })
  assert.equal(Array.from(cut).length, 160)
  assert.ok(cut.endsWith('🙂…'))
})
