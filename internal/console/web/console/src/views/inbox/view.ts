import { define } from '@fanfare/elements/base'
import { html } from 'lit'
import { View } from '../../view.ts'
import '@fanfare/elements/skeleton'

@define('ff-inbox-view')
export class InboxView extends View {
  protected override render(): unknown {
    return html`${this.renderHeader('Inbox')}<div class="view-body"><ff-skeleton></ff-skeleton></div>`
  }
}
