// The states of operations, retention, taxonomy, doctor and the first steps, as pictures.
import type { Page } from 'playwright-core'
import { forEachLook, screenshot, signIn, stage, type World } from '../harness/index.ts'

const places: [name: string, path: string, ready: string][] = [
  ['operations', 'operations', 'Workers'],
  ['operations-dead', 'operations/dead', 'Latest first'],
  ['retention', 'retention', 'What retention has done'],
  ['taxonomy', 'taxonomy/comment.created', 'Schema of the payload'],
  ['doctor', 'doctor', 'PostgreSQL'],
  ['start', 'start', 'Next'],
]

/** Saves pictures of what an operator sees, in a world with troubles and a crowd. */
export async function operatorScreenshots(page: Page, world: World): Promise<void> {
  await signIn(page, world, 'ada', stage.operator_scopes, 'operations')
  for (const [name, path, ready] of places) {
    await page.goto(`/console/${path}`)
    await page.getByRole('heading', { name: ready }).waitFor()
    await forEachLook(page, (look) => screenshot(page, `${name}-${look.name}`))
  }
  await page.goto('/console/operations/dead')
  await page.getByRole('button', { name: 'Discard all…' }).click()
  await page.getByText('fanfare outbox discard --all').waitFor()
  await forEachLook(page, (look) => screenshot(page, `operations-discard-${look.name}`))
}
