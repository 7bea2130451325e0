// The stage: the servers that tests run against. internal/console/stage describes its operations.

const control = variable('FANFARE_STAGE')
const secret = variable('FANFARE_STAGE_SECRET')

function variable(name: string): string {
  const value = process.env[name]
  if (!value) {
    throw new Error(`${name} is not set: run "go test ./internal/console", or the tests with a stage (test/README.md)`)
  }
  return value
}

/** Requests an operation of the control endpoint. */
export async function request<T>(operation: string, body: object = {}): Promise<T> {
  const response = await fetch(`${control}/${operation}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as T & { error?: string }
  if (!response.ok) {
    throw new Error(`stage: ${answer.error ?? response.statusText}`)
  }
  return answer
}

export interface Stage {
  /** The origin of the console and of the API. */
  url: string
  /** The origin of the application whose pages are the examples. */
  examples_url: string
  websocket_url: string
  database_url: string
  /** The scopes of a person who operates the installation. */
  operator_scopes: string[]
  /** The origin of an application with an empty page, which may frame and open the console at embedded_url. */
  application_url: string
  embedded_url: string
}

export const stage: Stage = await request<Stage>('info')

/** Runs SQL as a superuser. Arguments are texts; cast them in the statement. */
export async function sql<T = Record<string, unknown>>(text: string, ...args: unknown[]): Promise<T[]> {
  const answer = await request<{ rows: T[] }>('sql', { sql: text, args })
  return answer.rows
}

/**
 * Ends Centrifugo by SIGKILL, or starts it again. All tests share it: a file that calls this is
 * named *.alone.test.ts, which runs after the others.
 */
export async function switchCentrifugo(on: boolean): Promise<void> {
  await request('centrifugo', { on })
}
