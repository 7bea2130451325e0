import { define } from '@fanfare/elements/base'
import { html } from 'lit'
import { View } from '../../view.ts'
import '@fanfare/elements/skeleton'

@define('ff-activity-view')
export class ActivityView extends View {
  protected override render(): unknown {
    return html`${this.renderHeader('Activity')}<div class="view-body"><ff-skeleton></ff-skeleton></div>`
  }
}
