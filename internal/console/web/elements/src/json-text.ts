/** A value of a JSON text. Numbers keep their digits, and objects the order of their fields. */
export type JSONNode =
  | { kind: 'object'; fields: { name: string; value: JSONNode }[] }
  | { kind: 'array'; items: JSONNode[] }
  | { kind: 'string'; text: string }
  | { kind: 'number' | 'literal'; text: string }

const maxDepth = 500
const token = /[\s]*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false|null))/suy

/** parseJSON reads a JSON text without loss. It throws a SyntaxError where the text is no JSON. */
export function parseJSON(text: string): JSONNode {
  const scan = new RegExp(token)
  const next = (): RegExpExecArray => {
    const at = scan.lastIndex
    const found = scan.exec(text)
    if (!found) throw new SyntaxError(`no JSON at ${at}: ${text.slice(at, at + 20)}`)
    return found
  }
  const value = ([, mark, string, number, literal]: RegExpExecArray, depth: number): JSONNode => {
    if (depth > maxDepth) throw new SyntaxError(`JSON that is nested more than ${maxDepth} deep`)
    if (string !== undefined) return { kind: 'string', text: JSON.parse(string) as string }
    if (number !== undefined) return { kind: 'number', text: number }
    if (literal !== undefined) return { kind: 'literal', text: literal }
    if (mark === '[') return { kind: 'array', items: list(']', (first) => value(first, depth + 1)) }
    if (mark !== '{') throw new SyntaxError(`no JSON value at ${scan.lastIndex}: ${mark}`)
    const field = ([, , name]: RegExpExecArray): { name: string; value: JSONNode } => {
      if (name === undefined || next()[1] !== ':') throw new SyntaxError(`no field at ${scan.lastIndex}`)
      return { name: JSON.parse(name) as string, value: value(next(), depth + 1) }
    }
    return { kind: 'object', fields: list('}', field) }
  }
  const list = <T>(end: string, read: (first: RegExpExecArray) => T): T[] => {
    const all: T[] = []
    let found = next()
    if (found[1] === end) return all
    for (;;) {
      all.push(read(found))
      const mark = next()[1]
      if (mark === end) return all
      if (mark !== ',') throw new SyntaxError(`no list at ${scan.lastIndex}: ${mark}`)
      found = next()
    }
  }
  const node = value(next(), 0)
  if (text.slice(scan.lastIndex).trim()) throw new SyntaxError(`text after the JSON at ${scan.lastIndex}`)
  return node
}

/** at returns the value at a path of field names, or undefined. */
export function at(node: JSONNode | undefined, ...path: string[]): JSONNode | undefined {
  let found = node
  for (const name of path) {
    found = found?.kind === 'object' ? found.fields.findLast((f) => f.name === name)?.value : undefined
  }
  return found
}

/** printJSON returns a value as an indented text. */
export function printJSON(node: JSONNode, indent = ''): string {
  const inner = indent + '  '
  const lines = (open: string, parts: string[], close: string): string =>
    parts.length === 0 ? open + close : `${open}\n${parts.map((p) => inner + p).join(',\n')}\n${indent}${close}`
  switch (node.kind) {
    case 'object':
      return lines(
        '{',
        node.fields.map((f) => `${JSON.stringify(f.name)}: ${printJSON(f.value, inner)}`),
        '}',
      )
    case 'array':
      return lines(
        '[',
        node.items.map((i) => printJSON(i, inner)),
        ']',
      )
    case 'string':
      return JSON.stringify(node.text)
    default:
      return node.text
  }
}
