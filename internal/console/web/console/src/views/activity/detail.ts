import { BaseElement, define } from '@fanfare/elements/base'
import { html } from 'lit'
import { property } from 'lit/decorators.js'

@define('ff-activity-detail')
export class Detail extends BaseElement {
  @property() activity = ''
  protected override render(): unknown {
    return html``
  }
}
