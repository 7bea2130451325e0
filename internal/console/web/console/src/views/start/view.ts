import { define } from '@fanfare/elements/base'
import { html } from 'lit'
import { View } from '../../view.ts'
import '@fanfare/elements/skeleton'

@define('ff-start-view')
export class StartView extends View {
  protected override render(): unknown {
    return html`${this.renderHeader('First steps')}<div class="view-body"><ff-skeleton></ff-skeleton></div>`
  }
}
