import type { components } from './schema.d.ts'

/** A problem document of the API (RFC 9457). */
export type Problem = components['schemas']['Problem']

/** The API refused a request. `type` is stable, `title` is for people. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly status: number
  readonly problem: Problem
  /** Seconds after which the request may be repeated, from `Retry-After`. */
  readonly retryAfter: number | undefined

  constructor(problem: Problem, retryAfter?: number) {
    super(problem.detail || problem.title)
    this.problem = problem
    this.status = problem.status
    this.retryAfter = retryAfter
  }

  /** The kind of the problem, such as `invalid-field`. */
  get kind(): string {
    return this.problem.type.replace(/^.*\/problems\//, '')
  }

  /** Identifies the request in the server's log. */
  get requestId(): string {
    return this.problem.request_id
  }

  /** The violations of a field, such as `filter_mode`. */
  violations(field: string): string[] {
    return (this.problem.errors ?? []).filter((e) => e.field === field).map((e) => e.rule)
  }
}

/** The API could not be reached, or did not answer in time. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

/** The application gave no token: the cause is what getToken threw. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
}

/** problemOf reads the problem of a response that is not ok. */
export async function problemOf(response: Response, body?: unknown): Promise<ProblemError> {
  const retryAfter = Number(response.headers.get('Retry-After')) || undefined
  const found = body ?? (await response.json().catch(() => undefined))
  if (isProblem(found)) return new ProblemError(found, retryAfter)
  const problem: Problem = {
    type: 'about:blank',
    title: response.statusText || 'The server answered with an error',
    status: response.status,
    detail: `The server answered with status ${response.status}.`,
    request_id: response.headers.get('X-Request-Id') ?? '',
  }
  return new ProblemError(problem, retryAfter)
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'type' in value && 'title' in value && 'status' in value
}
