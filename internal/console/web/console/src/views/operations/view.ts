import { define } from '@fanfare/elements/base'
import { html } from 'lit'
import { View } from '../../view.ts'
import '@fanfare/elements/skeleton'

@define('ff-operations-view')
export class OperationsView extends View {
  protected override render(): unknown {
    return html`${this.renderHeader('Operations')}<div class="view-body"><ff-skeleton></ff-skeleton></div>`
  }
}
