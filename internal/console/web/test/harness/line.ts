// A line between a browser and the stage, which tests hold and cut.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { stage } from './stage.ts'

/** The API and the console at another port. */
export interface Line {
  /** The origin, which pages open instead of the stage's. */
  url: string
  /** Lets answers to requests of a path begin, and holds what follows: at most `bytes` of them are delivered. */
  hold(path: string, bytes: number): void
  /** Closes the connections whose answers are held, as a server that stops does. */
  cut(): void
  close(): void
}

interface Link {
  client: Socket
  server: Socket
  /** The bytes that may still be delivered. */
  left: number
}

/** Opens a line. HTTP is passed on as it is, so that what the browser receives is what the server sent. */
export async function openLine(): Promise<Line> {
  const { hostname, port } = new URL(stage.url)
  const links = new Set<Link>()
  let held: { path: string; bytes: number } | undefined
  const listener = createServer((client) => {
    const link: Link = { client, server: connect(Number(port), hostname), left: Infinity }
    links.add(link)
    const end = (): void => {
      links.delete(link)
      client.destroy()
      link.server.destroy()
    }
    client.on('data', (data) => {
      if (held && data.includes(` ${held.path}`)) link.left = held.bytes
      link.server.write(data)
    })
    link.server.on('data', (data) => {
      const passed = data.subarray(0, Math.min(link.left, data.length))
      link.left -= passed.length
      if (passed.length > 0) client.write(passed)
    })
    for (const socket of [client, link.server]) socket.on('error', end).on('close', end)
  })
  await new Promise<void>((opened) => listener.listen(0, '127.0.0.1', opened))
  const cut = (some: (link: Link) => boolean): void => {
    for (const link of [...links].filter(some)) link.client.destroy()
  }
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    hold: (path, bytes) => (held = { path, bytes }),
    cut: () => {
      held = undefined
      cut((link) => link.left < Infinity)
    },
    close: () => {
      listener.close()
      cut(() => true)
    },
  }
}
