/** localeOf returns the language of an element, from the nearest `lang` also outside of its shadow roots. */
export function localeOf(element: Element): string | undefined {
  for (let at: Element | undefined = element; at;) {
    const lang = at.closest('[lang]')?.getAttribute('lang')
    if (lang) return lang
    const root = at.getRootNode()
    at = root instanceof ShadowRoot ? root.host : undefined
  }
  return undefined
}
