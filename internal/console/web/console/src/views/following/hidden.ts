import { html } from 'lit'
import '@fanfare/elements/button'

/** hiddenSection renders what the caller follows and no longer sees: ids, which it can unfollow. */
export function hiddenSection(ids: readonly string[], unfollow: (id: string) => void): unknown {
  return html`<section class="hidden"><h2>No longer visible to you</h2>
    <p>They were removed, or your role on them has ended. They notify you of nothing; with a new role, they do again.
      Without one, you cannot follow them again.</p>
    <ul>${ids.map(
      (id) => html`<li><code>${id}</code><ff-button size="sm" label=${`Unfollow ${id}`}
        @click=${() => unfollow(id)}>Unfollow</ff-button></li>`,
    )}</ul></section>`
}
