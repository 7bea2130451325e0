import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Places } from '@fanfare/elements/places'

const placed = (keys: string, places = new Places()): Places => {
  places.place(keys.length, (i) => keys[i] ?? '', 10)
  return places
}
const tops = (places: Places, count: number): number[] => Array.from({ length: count }, (_, i) => places.topOf(i))

test('rows that were not measured have the estimated height', () => {
  assert.equal(placed('').height, 0)
  const places = placed('abc')
  assert.deepEqual(tops(places, 3), [0, 10, 20])
  assert.equal(places.height, 30)
})

test('a measured row moves the rows below it', () => {
  const places = placed('abcd')
  const heights = new Map([
    [2, 5],
    [0, 30],
  ])
  assert.equal(places.measured(heights), true)
  assert.deepEqual(tops(places, 4), [0, 30, 40, 45])
  assert.equal(places.height, 55)
  assert.equal(places.measured(heights), false, 'the heights are the same')
  assert.equal(places.measured(new Map([[4, 99]])), false, 'there is no such row')
  assert.equal(places.height, 55)
})

test('a row keeps its height where it moves to', () => {
  const places = placed('abc')
  places.measured(new Map([[1, 25]]))
  assert.deepEqual(tops(placed('bxya', places), 4), [0, 25, 35, 45])
  assert.deepEqual(tops(placed('ab', places), 2), [0, 10])
  assert.equal(places.height, 35)
})

test('the row at a place is the one that contains it', () => {
  assert.equal(placed('').rowAt(5), 0)
  const places = placed('abc')
  places.measured(new Map([[1, 25]]))
  assert.deepEqual(
    [-5, 0, 9, 10, 34, 35, 44, 45, 1000].map((place) => places.rowAt(place)),
    [0, 0, 0, 1, 1, 2, 2, 2, 2],
  )
})
