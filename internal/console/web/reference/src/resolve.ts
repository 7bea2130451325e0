import type { Plugin } from 'swagger-ui-dist/swagger-ui-es-bundle.js'

type Value = unknown
type Fields = Record<string, Value>

/**
 * Resolves the references of a part of the document, all of which are to its components. The
 * renderer's own resolver fetches other documents too, and needs a third of a second for each part.
 */
export const resolve: Plugin = () => ({
  fn: {
    resolveSubtree: async (document: Fields, path: string[]) => {
      const part = path.reduce<Value>((value, key) => (value as Fields | undefined)?.[key], document)
      return { spec: resolved(part, document, []), errors: [] }
    },
  },
})

/** Returns a value with what its references name. A reference to what contains it stays. */
function resolved(value: Value, document: Fields, within: string[]): Value {
  if (Array.isArray(value)) return value.map((item) => resolved(item, document, within))
  if (typeof value !== 'object' || value === null) return value
  const { $ref: reference, ...others } = value as Fields
  if (typeof reference !== 'string') {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, resolved(field, document, within)]))
  }
  if (within.includes(reference) || !reference.startsWith('#/')) return value
  const target = reference
    .slice(2)
    .split('/')
    .reduce<Value>((part, key) => (part as Fields | undefined)?.[key], document)
  if (typeof target !== 'object' || target === null) return value
  return resolved({ $$ref: reference, title: reference.split('/').at(-1), ...target, ...others }, document, [
    ...within,
    reference,
  ])
}
