import { tinykeys } from 'tinykeys'

/** A shortcut, in the notation of tinykeys: `j`, `g i`, `$mod+k`. */
export interface Shortcut {
  keys: string
  label: string
  run: (event: KeyboardEvent) => void
  /** The group in the list of shortcuts; default: that of the view. */
  group?: string
}

const storageKey = 'fanfare.shortcuts'

/** Shortcuts holds the shortcuts of what is shown. A person may switch those of single keys off. */
export class Shortcuts {
  #all = new Set<Shortcut>()
  #unbind: (() => void) | undefined
  #enabled = read()

  get enabled(): boolean {
    return this.#enabled
  }

  set enabled(enabled: boolean) {
    this.#enabled = enabled
    try {
      localStorage.setItem(storageKey, enabled ? 'on' : 'off')
    } catch {
      // It lasts until the page is closed.
    }
  }

  get all(): readonly Shortcut[] {
    return [...this.#all]
  }

  /** add adds shortcuts, and returns a function that removes them. */
  add(shortcuts: readonly Shortcut[]): () => void {
    for (const s of shortcuts) this.#all.add(s)
    this.#bind()
    return () => {
      for (const s of shortcuts) this.#all.delete(s)
      this.#bind()
    }
  }

  /** clear removes all. */
  clear(): void {
    this.#all.clear()
    this.#bind()
  }

  #bind(): void {
    this.#unbind?.()
    const bindings: Record<string, (event: KeyboardEvent) => void> = {}
    for (const s of this.#all) {
      bindings[s.keys] = (event) => {
        if (event.defaultPrevented || (!s.keys.includes('$mod') && (!this.#enabled || writes(event)))) return
        event.preventDefault()
        s.run(event)
      }
    }
    this.#unbind = tinykeys(window, bindings)
  }
}

/** writes reports whether the key goes into a text, or to an open dialog or menu. */
function writes(event: KeyboardEvent): boolean {
  const path = event.composedPath()
  return path.some(
    (at) =>
      at instanceof HTMLElement &&
      (at.matches('input:not([type=checkbox], [type=radio]), textarea, select, :popover-open, dialog[open]') ||
        at.isContentEditable),
  )
}

function read(): boolean {
  try {
    return localStorage.getItem(storageKey) !== 'off'
  } catch {
    return true
  }
}
