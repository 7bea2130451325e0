// An outage of Centrifugo, which loses the contents of its channels.
import { browserTest, newWorld, signIn, switchCentrifugo } from './harness/index.ts'

const world = await newWorld()

browserTest('after an outage of Centrifugo the count is right', async ({ page, allow }) => {
  allow(/WebSocket connection to .* failed/)
  await signIn(page, world, 'grace')
  const live = page.getByText('Live', { exact: true }).first()
  await live.waitFor()
  await switchCentrifugo(false)
  try {
    await page.getByText('Connecting…').first().waitFor()
    await world.record({ action: 'comment.created', resource: 'atlas-grip', targets: ['grace'] })
  } finally {
    await switchCentrifugo(true)
  }
  await live.waitFor()
  await page.getByRole('link', { name: /^Inbox.*\b1 unread/ }).waitFor()
})
