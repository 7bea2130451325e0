/** The fields of a payload that hold what a person wrote, or what went wrong. */
const fields = ['body', 'text', 'comment', 'error', 'reason', 'description']

/** The most characters of an excerpt. */
const most = 160

interface Content {
  payload?: Record<string, unknown>
  ui_hints: { summary: string }
}

/** sayingOf returns what an activity says; '' if its summary says it already. */
export function sayingOf({ payload, ui_hints }: Content): string {
  for (const field of fields) {
    const value = payload?.[field]
    if (typeof value !== 'string') continue
    const text = line(value)
    if (text !== '' && !ui_hints.summary.includes(text)) return value.trim()
  }
  return ''
}

/** excerptOf returns the beginning of what an activity says, in one line. */
export function excerptOf(content: Content): string {
  const text = line(sayingOf(content))
  const characters = Array.from(text)
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : text
}

/** line returns the beginning of a text, without its breaks of lines. */
function line(text: string): string {
  return text
    .slice(0, 4 * most)
    .replaceAll(/\s+/gu, ' ')
    .trim()
}
