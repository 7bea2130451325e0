import { define } from '@fanfare/elements/base'
import { html } from 'lit'
import { View } from '../../view.ts'
import '@fanfare/elements/skeleton'

@define('ff-preferences-view')
export class PreferencesView extends View {
  protected override render(): unknown {
    return html`${this.renderHeader('Preferences')}<div class="view-body"><ff-skeleton></ff-skeleton></div>`
  }
}
