/** A value of JSON whose numbers are as they are written: those of JavaScript do not hold all digits. */
export type Json =
  | { type: 'object'; entries: [string, Json][] }
  | { type: 'array'; items: Json[] }
  | { type: 'string'; text: string }
  | { type: 'number' | 'literal'; text: string }

/** parseJSON reads JSON to the digit. It throws a SyntaxError as JSON.parse does. */
export function parseJSON(text: string): Json {
  const reader = new Reader(text)
  const value = reader.value()
  reader.end()
  return value
}

/** memberOf returns a member of an object. */
export function memberOf(value: Json, name: string): Json | undefined {
  return value.type === 'object' ? value.entries.find(([key]) => key === name)?.[1] : undefined
}

/** textOf returns the JSON of a value, indented. */
export function textOf(value: Json, indent = ''): string {
  const inner = `${indent}  `
  switch (value.type) {
    case 'string':
      return JSON.stringify(value.text)
    case 'array':
      if (value.items.length === 0) return '[]'
      return `[\n${value.items.map((item) => inner + textOf(item, inner)).join(',\n')}\n${indent}]`
    case 'object':
      if (value.entries.length === 0) return '{}'
      return `{\n${value.entries
        .map(([key, item]) => `${inner}${JSON.stringify(key)}: ${textOf(item, inner)}`)
        .join(',\n')}\n${indent}}`
    default:
      return value.text
  }
}

const maxDepth = 500

class Reader {
  #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  end(): void {
    this.#space()
    if (this.#at < this.#text.length) this.#fail()
  }

  value(): Json {
    this.#space()
    const c = this.#text[this.#at]
    if (c === '{' || c === '[') {
      if (++this.#depth > maxDepth) this.#fail()
      const found = c === '{' ? this.#object() : this.#array()
      this.#depth--
      return found
    }
    if (c === '"') return { type: 'string', text: this.#string() }
    const literal = this.#match(/true|false|null/uy)
    if (literal !== undefined) return { type: 'literal', text: literal }
    const number = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/uy)
    return number === undefined ? this.#fail() : { type: 'number', text: number }
  }

  #object(): Json {
    const entries: [string, Json][] = []
    this.#at++
    if (this.#take('}')) return { type: 'object', entries }
    do {
      this.#space()
      const key = this.#string()
      if (!this.#take(':')) this.#fail()
      entries.push([key, this.value()])
    } while (this.#take(','))
    if (!this.#take('}')) this.#fail()
    return { type: 'object', entries }
  }

  #array(): Json {
    const items: Json[] = []
    this.#at++
    if (this.#take(']')) return { type: 'array', items }
    do items.push(this.value())
    while (this.#take(','))
    if (!this.#take(']')) this.#fail()
    return { type: 'array', items }
  }

  #string(): string {
    const found = this.#match(/"(?:[^"\\]|\\.)*"/suy)
    return found === undefined ? this.#fail() : (JSON.parse(found) as string)
  }

  #take(c: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== c) return false
    this.#at++
    return true
  }

  #space(): void {
    this.#match(/[ \t\r\n]+/uy)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #fail(): never {
    throw new SyntaxError(`unexpected text in JSON at position ${this.#at}`)
  }
}
