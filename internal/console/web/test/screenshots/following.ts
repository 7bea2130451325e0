// The states of following and preferences, as pictures.
import type { Page } from 'playwright-core'
import { forEachLook, screenshot, signIn, stage, type World } from '../harness/index.ts'

/** Saves pictures of the tree of Grace, and of the list of what she follows. */
export async function followingScreenshots(page: Page, world: World): Promise<void> {
  await signIn(page, world, 'grace', [], 'following')
  await page.getByRole('button', { name: 'Open Atlas arm' }).click()
  await page.getByTitle('Documents', { exact: true }).waitFor()
  await forEachLook(page, ({ name }) => screenshot(page, `following-${name}`))
  await page.goto('/console/following?show=list')
  await page.getByTitle('Rotterdam', { exact: true }).waitFor()
  await forEachLook(page, ({ name }) => screenshot(page, `following-list-${name}`))
}

/** Saves pictures of the preferences of Mei, and of the defaults that Ada sets. */
export async function preferencesScreenshots(page: Page, world: World): Promise<void> {
  await signIn(page, world, 'mei', [], 'preferences')
  await page
    .getByText(/actions match/)
    .first()
    .waitFor()
  await forEachLook(page, ({ name }) => screenshot(page, `preferences-${name}`))
  await signIn(page, world, 'ada', stage.operator_scopes, 'preferences/defaults')
  await page.getByText('What notifies people').waitFor()
  await forEachLook(page, ({ name }) => screenshot(page, `preferences-defaults-${name}`))
}
