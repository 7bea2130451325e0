import assert from 'node:assert/strict'
import { test } from 'node:test'
import { line, linear, nearest, steps, surface, top } from '../src/views/operations/plot.ts'
import { increments } from '../src/views/operations/series.ts'

test('a scale maps values to pixels, and back', () => {
  const x = linear(10, 20, 100, 200)
  assert.deepEqual([10, 15, 20].map(x), [100, 150, 200])
  assert.equal(linear(100, 200, 10, 20)(150), 15)
  assert.equal(linear(0, 1, 50, 0)(1), 0, 'the axis of values points up')
  assert.equal(linear(7, 7, 60, 300)(7), 60, 'one point alone')
})

test('the axis of values begins at 0 and has room above the highest', () => {
  assert.equal(
    top([
      [10, null],
      [20, 3],
    ]),
    22,
  )
  assert.equal(top([[null, 0]]), 1)
  assert.equal(top([]), 1)
})

test('an axis has round steps, as many as fit', () => {
  assert.deepEqual(steps(0, 23, 5, increments.number), [0, 5, 10, 15, 20])
  assert.deepEqual(steps(0, 1, 2, increments.number), [0, 1])
  assert.deepEqual(steps(0, 5e9, 5, [1]), [0, 5e9], 'beyond all increments')
  assert.deepEqual(steps(3600, 4500, 4, increments.time), [3600, 3900, 4200, 4500])
  assert.deepEqual(steps(0, 86_400, 5, increments.time, -3600), [18_000, 39_600, 61_200, 82_800], 'midnight of UTC+1')
})

test('a line breaks where a value is unknown', () => {
  const same = (v: number): number => v
  assert.equal(line([0, 1, 2, 3], [5, 6.04, null, 7], same, same), 'M0 5L1 6M3 7')
  assert.equal(line([], [], same, same), '')
  assert.equal(surface([0, 1, 2, 3], [5, 6, null, 7], same, same), 'M0 5L1 6L1 0L0 0Z')
})

test('the nearest point is read', () => {
  const times = [10, 20, 30]
  assert.deepEqual(
    [0, 14, 15, 16, 29, 99].map((t) => nearest(times, t)),
    [0, 0, 0, 1, 2, 2],
  )
})
