// What the browser asks its own application; internal/console/application answers.

export interface Session {
  /** The origin of Fanfare's API. */
  api_url: string
  user: { id: string; name: string }
  colleague: { id: string; name: string }
  project: { id: string; name: string }
}

/** Returns who is signed in. */
export async function session(): Promise<Session> {
  return (await ask('/session')).json() as Promise<Session>
}

let token: Promise<string> | undefined

/** Returns a JWT of the signed-in person. All widgets use it until Fanfare refuses it. */
export function getToken(reason?: 'expired'): Promise<string> {
  if (reason) token = undefined
  token ??= ask('/token', { method: 'POST' }).then(
    async (answer) => ((await answer.json()) as { token: string }).token,
    (error: unknown) => {
      token = undefined
      throw error
    },
  )
  return token
}

/** Lets the colleague comment on the project. */
export async function comment(text: string): Promise<void> {
  await ask('/comments', { method: 'POST', body: JSON.stringify({ text }) })
}

async function ask(path: string, init?: RequestInit): Promise<Response> {
  const answer = await fetch(path, init)
  if (!answer.ok) throw new Error(await answer.text())
  return answer
}
