// Cutting the connection of a page to Centrifugo.
import type { Page, WebSocketRoute } from 'playwright-core'

interface Line {
  cut: boolean
  open: Set<WebSocketRoute>
}

const lines = new WeakMap<Page, Line>()

/** Routes the page's WebSockets, so that cut works. Call it before the page is opened. */
export async function makeCuttable(page: Page): Promise<void> {
  const line: Line = { cut: false, open: new Set() }
  lines.set(page, line)
  await page.routeWebSocket(/./, (socket) => {
    if (line.cut) {
      void socket.close({ code: 4000, reason: 'cut' })
      return
    }
    line.open.add(socket)
    const server = socket.connectToServer()
    // With a handler, closing one side does not close the other one.
    socket.onClose((code, reason) => {
      line.open.delete(socket)
      void server.close({ ...(code === undefined ? {} : { code: closable(code) }), ...(reason ? { reason } : {}) })
    })
    server.onClose((code, reason) => {
      line.open.delete(socket)
      void socket.close({ ...(code === undefined ? {} : { code: closable(code) }), ...(reason ? { reason } : {}) })
    })
  })
}

// closable returns a code that WebSocket.close accepts; others are those of a lost connection.
function closable(code: number): number {
  return code === 1000 || (code >= 3000 && code <= 4999) ? code : 4000
}

function lineOf(page: Page): Line {
  const line = lines.get(page)
  if (!line) {
    throw new Error('open the page with { cuttable: true } to cut its connection')
  }
  return line
}

/** Closes the page's WebSockets and refuses new ones. With offline, HTTP requests fail too. */
export async function cut(page: Page, options: { offline?: boolean } = {}): Promise<void> {
  const line = lineOf(page)
  line.cut = true
  if (options.offline) {
    await page.context().setOffline(true)
  }
  const open = [...line.open]
  line.open.clear()
  await Promise.all(open.map((socket) => socket.close({ code: 4000, reason: 'cut' })))
}

/** Permits connections again. */
export async function restore(page: Page): Promise<void> {
  lineOf(page).cut = false
  await page.context().setOffline(false)
}
