import { BaseElement, define } from '@fanfare/elements/base'
import { html } from 'lit'
import { property } from 'lit/decorators.js'

@define('ff-export-dialog')
export class ExportDialog extends BaseElement {
  @property({ type: Boolean }) open = false
  protected override render(): unknown {
    return html``
  }
}
