import { define } from '@fanfare/elements/base'
import { html } from 'lit'
import { View } from '../../view.ts'
import '@fanfare/elements/skeleton'

@define('ff-doctor-view')
export class DoctorView extends View {
  protected override render(): unknown {
    return html`${this.renderHeader('Doctor')}<div class="view-body"><ff-skeleton></ff-skeleton></div>`
  }
}
