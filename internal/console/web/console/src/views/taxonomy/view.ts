import { define } from '@fanfare/elements/base'
import { html } from 'lit'
import { View } from '../../view.ts'
import '@fanfare/elements/skeleton'

@define('ff-taxonomy-view')
export class TaxonomyView extends View {
  protected override render(): unknown {
    return html`${this.renderHeader('Taxonomy')}<div class="view-body"><ff-skeleton></ff-skeleton></div>`
  }
}
