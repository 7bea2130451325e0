import { define } from '@fanfare/elements/base'
import { html } from 'lit'
import { View } from '../../view.ts'
import '@fanfare/elements/skeleton'

@define('ff-following-view')
export class FollowingView extends View {
  protected override render(): unknown {
    return html`${this.renderHeader('Following')}<div class="view-body"><ff-skeleton></ff-skeleton></div>`
  }
}
