// The API reference at /v1/docs.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { axe, browserTest, forEachLook, newWorld, screenshot, signIn } from './harness/index.ts';

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
}

type Document = { paths: Record<string, Record<string, Operation>> };

const world = await newWorld({ activities: 20 });

async function open(page: Page, hash = ''): Promise<void> {
  await page.goto(`/v1/docs${hash}`);
  await page.getByRole('heading', { level: 1, name: 'Fanfare API' }).waitFor();
}

browserTest('every operation is listed once, in its group, and opens', async ({ page }) => {
  const document = (await (await page.request.get('/v1/openapi.json')).json()) as Document;
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  await open(page);
  const groups = await page.getByRole('main').getByRole('heading', { level: 2 }).allTextContents();
  assert.deepEqual(groups, [...new Set(operations.map(({ tags }) => tags[0]))]);
  const buttons = page.locator('main h3 > button');
  assert.equal(await buttons.count(), operations.length);
  assert.equal(await page.locator('nav li').count(), operations.length);
  for (const { operationId, summary } of operations) {
    const button = page.locator(`#operation-${operationId}`);
    assert.match(await button.innerText(), new RegExp(summary.replaceAll(/[^\w ]/g, '.')));
    await button.click();
    const body = page.locator('.opblock.is-open .opblock-body');
    await body.getByRole('heading', { level: 4, name: 'Responses' }).waitFor();
    assert.doesNotMatch(await body.innerText(), /could not render|unknown type/i, operationId);
    await button.click();
    await body.waitFor({ state: 'detached' });
  }
});

browserTest('a link opens an operation, the filter finds it, and the keyboard suffices', async ({ page }) => {
  await open(page, '#/Notifications/list-notifications');
  await page.locator('#operation-list-notifications[aria-expanded="true"]').waitFor();
  await page.getByRole('searchbox', { name: 'Filter operations' }).fill('dry-run');
  await page.getByRole('status').getByText('1 found').waitFor();
  await page.locator('nav li a').focus();
  await page.keyboard.press('Enter');
  const button = page.locator('#operation-dry-run-activity');
  await page.locator('#operation-dry-run-activity[aria-expanded="true"]:focus').waitFor();
  assert.match(page.url(), /#\/Activities\/dry-run-activity$/);
  await button.press('Enter');
  await page.locator('#operation-dry-run-activity[aria-expanded="false"]').waitFor();
});

browserTest('"Try it out" sends the session, or a token', async ({ page, newPage, allow }) => {
  await signIn(page, world, 'grace');
  await open(page, '#/Caller/get-me');
  await request(page);
  await page.locator('.live-responses-table').getByText('Grace').first().waitFor();
  await screenshot(page, 'reference-response');

  const other = await newPage();
  allow(/status of 401/);
  await open(other);
  await other.locator('#operation-get-me').click();
  await request(other);
  await other.locator('.live-responses-table .response-col_status').getByText('401').waitFor();
  await other.getByRole('button', { name: 'Authorize' }).click();
  await other.getByLabel('token-value').or(other.locator('#auth-bearer-value')).fill(await world.token('linus'));
  await other.getByRole('button', { name: 'Apply credentials' }).first().click();
  await other.getByRole('button', { name: 'Close' }).last().click();
  await other.getByRole('button', { name: 'Execute' }).click();
  await other.locator('.live-responses-table').getByText('Linus').first().waitFor();
  assert.equal(await other.evaluate(() => Object.keys(localStorage).length + Object.keys(sessionStorage).length), 0);
});

async function request(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Try it out' }).click();
  await page.getByRole('button', { name: 'Execute' }).click();
}

browserTest('axe finds nothing, in each theme and at each width', async ({ page }) => {
  await signIn(page, world, 'grace');
  await open(page);
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `reference-${name}`);
    await axe(page);
  });
  for (const [id, needsBody] of [['list-notifications', false], ['record-activities', true]] as const) {
    await page.locator(`#operation-${id}`).click();
    await page.locator('.opblock.is-open').getByRole('button', { name: 'Try it out' }).click();
    if (!needsBody) await page.locator('.opblock.is-open').getByRole('button', { name: 'Execute' }).click();
    if (!needsBody) await page.locator('.live-responses-table').waitFor();
    await forEachLook(page, async ({ name }) => {
      await page.locator(`#operation-${id}`).evaluate((button) => button.scrollIntoView());
      await screenshot(page, `reference-${id}-${name}`);
      await axe(page);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
    });
    await page.locator(`#operation-${id}`).click();
  }
  await page.getByRole('button', { name: 'Authorize' }).click();
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `reference-authorize-${name}`);
    await axe(page);
  });
});
