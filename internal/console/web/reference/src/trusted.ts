import DOMPurify from 'dompurify'

interface PolicyFactory {
  createPolicy(name: string, rules: { createHTML: (text: string) => string }): unknown
}

/** Sanitizes the markup that the renderer makes of the document's Markdown, the only one it parses. */
export function sanitizeMarkup(): void {
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes
  factory?.createPolicy('default', { createHTML: (text) => DOMPurify.sanitize(text, { FORBID_ATTR: ['style'] }) })
}
