import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Arrivals } from '../src/arrivals.ts'

/** until waits until a condition holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a notification that commits after its event is found', async () => {
  const committed = new Set<string>()
  const looks: string[][] = []
  const arrivals = new Arrivals(
    async (ids) => {
      looks.push([...ids])
      if (looks.length === 2) committed.add('a')
      return new Set([...ids].filter((id) => committed.has(id)))
    },
    [0, 10, 20, 40],
  )
  arrivals.add('a')
  arrivals.add('a')
  await until(() => looks.length === 2)
  arrivals.add('b')
  await until(() => looks.length === 6)
  assert.deepEqual(looks, [['a'], ['a'], ['b'], ['b'], ['b'], ['b']])
})

test('what is not there is looked for a bounded number of times, also while the API fails', async () => {
  let looks = 0
  let ended = 0
  const arrivals = new Arrivals(async () => {
    looks++
    throw new Error('unavailable')
  }, [0, 5, 10])
  arrivals.add('a')
  await until(() => looks === 3)
  const marker = new Arrivals(async (ids) => {
    ended++
    return ids
  })
  marker.add('b')
  await until(() => ended === 1)
  assert.equal(looks, 3)
})

test('events that arrive in a burst are looked for together', async () => {
  const looks: number[] = []
  const arrivals = new Arrivals(async (ids) => {
    looks.push(ids.size)
    await new Promise((resolve) => setTimeout(resolve, 10))
    return ids
  })
  for (let i = 0; i < 500; i++) arrivals.add(`n${i}`)
  await until(() => looks.length === 1)
  for (let i = 500; i < 700; i++) arrivals.add(`n${i}`)
  await until(() => looks.length === 2)
  assert.deepEqual(looks, [500, 200])
})
