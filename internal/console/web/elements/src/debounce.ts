/** Debounce runs a function once it has not been called for a while. */
export class Debounce {
  #timer: ReturnType<typeof setTimeout> | undefined

  /** after runs a function in milliseconds, in place of the one that waits. */
  after(milliseconds: number, run: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(run, milliseconds)
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }
}
