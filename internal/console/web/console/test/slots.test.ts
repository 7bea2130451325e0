import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slots } from '@fanfare/elements/slots'

const rules: { name: string; steps: [keys: string, slots: number[]][] }[] = [
  { name: 'the first rows get new elements', steps: [['abcd', [0, 1, 2, 3]]] },
  {
    name: 'downwards, the first elements become the last',
    steps: [
      ['abcd', [0, 1, 2, 3]],
      ['bcde', [1, 2, 3, 0]],
      ['defg', [3, 0, 2, 1]],
    ],
  },
  {
    name: 'upwards, the last elements become the first',
    steps: [
      ['cdef', [0, 1, 2, 3]],
      ['bcde', [3, 0, 1, 2]],
      ['zabc', [2, 1, 3, 0]],
    ],
  },
  {
    name: 'more rows get elements of their own',
    steps: [
      ['ab', [0, 1]],
      ['bcd', [1, 2, 0]],
    ],
  },
  {
    name: 'rows elsewhere take the elements in order',
    steps: [
      ['abc', [0, 1, 2]],
      ['xyz', [0, 1, 2]],
      ['xy', [0, 1]],
      ['xyz', [0, 1, 3]],
    ],
  },
  {
    name: 'a row that stays keeps its element',
    steps: [
      ['fabc', [0, 1, 2, 3]],
      ['fxyz', [0, 3, 2, 1]],
    ],
  },
  { name: 'no rows', steps: [['', []]] },
]

for (const { name, steps } of rules) {
  test(name, () => {
    const slots = new Slots()
    for (const [keys, want] of steps) assert.deepEqual(slots.assign([...keys]), want, keys)
  })
}
