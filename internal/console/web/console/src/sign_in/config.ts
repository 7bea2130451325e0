/** What the server says about itself before the sign-in: /console/config.json. */
export interface Config {
  version: string
  /** The origins that may frame the console and hand over a token. */
  origins: string[]
  /** The kinds of credentials that the API accepts. */
  credentials: string[]
}

/** readConfig returns the configuration; without one, no origin may hand over a token. */
export async function readConfig(): Promise<Config> {
  const none = { version: '', origins: [], credentials: [] }
  try {
    const response = await fetch('/console/config.json', { signal: AbortSignal.timeout(5000) })
    return response.ok ? { ...none, ...((await response.json()) as Partial<Config>) } : none
  } catch {
    return none
  }
}
