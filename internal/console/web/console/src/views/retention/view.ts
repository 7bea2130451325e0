import { define } from '@fanfare/elements/base'
import { html } from 'lit'
import { View } from '../../view.ts'
import '@fanfare/elements/skeleton'

@define('ff-retention-view')
export class RetentionView extends View {
  protected override render(): unknown {
    return html`${this.renderHeader('Retention')}<div class="view-body"><ff-skeleton></ff-skeleton></div>`
  }
}
