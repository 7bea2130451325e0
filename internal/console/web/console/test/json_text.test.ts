import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, parseJSON, printJSON } from '@fanfare/elements/json-text'

test('numbers keep their digits, and objects their fields', () => {
  const text = `{"10": 9007199254740993, "2": -0.0, "__proto__": {"x": 1e-300},
    "list": [1.10, true, null, "\\u00e9\\n"]}`
  const node = parseJSON(text)
  assert.deepEqual(at(node, '10'), { kind: 'number', text: '9007199254740993' })
  assert.deepEqual(at(node, '__proto__', 'x'), { kind: 'number', text: '1e-300' })
  assert.equal(at(node, 'toString'), undefined)
  assert.equal(
    printJSON(node).replaceAll(/\s+/gu, ' '),
    '{ "10": 9007199254740993, "2": -0.0, "__proto__": { "x": 1e-300 }, "list": [ 1.10, true, null, "é\\n" ] }',
  )
})

test('what is no JSON is refused', () => {
  for (const text of ['', '{', '[1,]', '{"a" 1}', '1 2', '{a: 1}', '['.repeat(600), "'a'", '{"a":1,}']) {
    assert.throws(() => parseJSON(text), SyntaxError, text.slice(0, 20))
  }
})

test('what it prints, it reads', () => {
  for (const text of ['{}', '[]', '"a\\"b"', '[[[{"a": [null]}]]]', '12345678901234567890.123e+5']) {
    assert.deepEqual(parseJSON(printJSON(parseJSON(text))), parseJSON(text))
  }
})
