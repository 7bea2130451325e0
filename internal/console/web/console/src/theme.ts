export type Theme = 'system' | 'light' | 'dark'

const key = 'fanfare.theme'

/** theme returns the theme that the person has chosen. */
export function theme(): Theme {
  try {
    const chosen = localStorage.getItem(key)
    return chosen === 'light' || chosen === 'dark' ? chosen : 'system'
  } catch {
    return 'system' // a frame of another site may have no storage
  }
}

/** setTheme keeps and applies a theme. */
export function setTheme(chosen: Theme): void {
  try {
    localStorage.setItem(key, chosen)
  } catch {
    // It lasts until the page is closed.
  }
  applyTheme(chosen)
}

/** applyTheme lets light-dark() choose the colours of the theme. */
export function applyTheme(chosen = theme()): void {
  document.documentElement.style.colorScheme = chosen === 'system' ? 'light dark' : chosen
}
