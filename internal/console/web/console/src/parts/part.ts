/** A part of a view that is loaded by itself: what was loaded last, and the error of the last attempt. */
export interface Part<T> {
  value?: T
  error?: unknown
}

/** loaded loads a part; a failure keeps what was loaded before. */
export async function loaded<T>(part: Part<T>, load: Promise<T>): Promise<Part<T>> {
  try {
    return { value: await load }
  } catch (error) {
    return part.value === undefined ? { error } : { value: part.value, error }
  }
}
