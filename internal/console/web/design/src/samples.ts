import { ConnectionError, ProblemError } from '@fanfare/client'

/** An activity whose every text is hostile. */
export const hostile = {
  action: 'comment.created',
  actor: {
    principal_id: '0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f',
    kind: 'user',
    display_name: '<img src=x onerror=alert(1)>',
  },
  resource: { resource_id: '0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f', resource_type: 'document', name: '\u202Egnp.exe' },
  ui_hints: {
    title: '<script>alert(1)</script> commented on "><svg onload=alert(1)>',
    summary: 'See https://example.com/a?b=c, javascript:alert(1) and https://evil.example/\u202E.',
  },
}

export const ordinary = {
  action: 'plan.updated',
  actor: { principal_id: '0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f', kind: 'user', display_name: 'Grace Lindqvist' },
  resource: { resource_id: '0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f', resource_type: 'plan', name: 'Atlas grip' },
  ui_hints: { title: 'Grace Lindqvist updated Atlas grip', summary: 'Moved the deadline to 14 March' },
}

const problem = (status: number, title: string, detail: string): ProblemError =>
  new ProblemError({
    type: '/problems/sample',
    title,
    status,
    detail,
    request_id: '0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f',
    errors: [],
  })

export const failures: [string, unknown][] = [
  ['The activities could not be loaded', problem(503, 'Database unavailable', 'The database does not answer.')],
  ['', problem(403, 'Insufficient scope', 'The scope activity:read is required.')],
  ['', problem(404, 'Not found', '')],
  ['', new ConnectionError('The server cannot be reached.')],
]

/** Pairs of text and background that occur, with the contrast that each needs. */
export const pairs: [string, string, number][] = [
  ['text', 'surface', 4.5],
  ['text-2', 'surface', 4.5],
  ['text-3', 'surface', 4.5],
  ['text-3', 'bg', 4.5],
  ['text-3', 'sunken', 4.5],
  ['text-3', 'hover', 4.5],
  ['text-2', 'active', 4.5],
  ['text-3', 'selected', 4.5],
  ['text-3', 'raised', 4.5],
  ['accent', 'surface', 4.5],
  ['accent', 'accent-soft', 4.5],
  ['accent', 'raised', 4.5],
  ['accent', 'hover', 4.5],
  ['accent', 'selected', 4.5],
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-hover', 4.5],
  ['success', 'success-soft', 4.5],
  ['success', 'surface', 4.5],
  ['warning', 'warning-soft', 4.5],
  ['warning', 'surface', 4.5],
  ['error', 'error-soft', 4.5],
  ['error', 'surface', 4.5],
  ['error', 'raised', 4.5],
  ['error', 'hover', 4.5],
  ['text', 'warning-soft', 4.5],
  ['on-critical', 'critical', 4.5],
  ['border-control', 'surface', 3],
  ['border-control', 'raised', 3],
  ['brass', 'bg', 3],
]
