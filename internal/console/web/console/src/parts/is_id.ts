const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/iu

/** isID reports whether a text is an id. */
export function isID(text: string): boolean {
  return uuid.test(text)
}
