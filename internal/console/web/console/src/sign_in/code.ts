let code: string | undefined

/** takeCode moves the one-time code from the address into memory, before anything else can read the address. */
export function takeCode(): void {
  const found = new URLSearchParams(location.hash.slice(1)).get('code')
  if (!found) return
  code = found
  history.replaceState(history.state, '', location.pathname + location.search)
}

/** usedCode returns the code once. */
export function usedCode(): string | undefined {
  const found = code
  code = undefined
  return found
}
