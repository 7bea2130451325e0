import type { Client, Notification } from '@fanfare/client'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { AtSign, Bell, UserCheck, UserCog } from 'lucide'
import { BaseElement, define, styled } from '../base.ts'
import type { Icon } from '../icon.ts'
import { type ExplanationTexts, explanationTexts, type Reason } from './explanation-texts.ts'
import { type StopTexts, stopTexts } from './stop.ts'
import '../chip.ts'
import '../popover.ts'

export interface ReasonTexts {
  heading: string
  reasons: Record<Reason, string>
  /** The accessible name of a chip: its text, and the reasons that it does not show. */
  label: (text: string, others: string) => string
  explanation?: ExplanationTexts
  stop?: StopTexts
}

export const reasonTexts: ReasonTexts = {
  heading: 'Why am I notified?',
  reasons: { subscribed: 'Following', owner: 'Owner', delegator: 'Delegator', target: 'For you' },
  label: (text, others) => `${text}${others && ` (${others})`}. Why am I notified?`,
}

const icons: Record<Reason, Icon> = { subscribed: Bell, owner: UserCheck, delegator: UserCog, target: AtSign }

/** The strongest reason is shown first. */
const order: readonly Reason[] = ['target', 'owner', 'delegator', 'subscribed']

/** sortedReasons returns the reasons of a notification, the one that concerns the person most first. */
export function sortedReasons(reasons: readonly Reason[]): Reason[] {
  return order.filter((reason) => reasons.includes(reason))
}

/** The reason of a notification as a chip, which opens "Why am I notified?" with "Stop this". */
@define('ff-reason')
export class ReasonChip extends BaseElement {
  static override shadowRootOptions = { ...BaseElement.shadowRootOptions, delegatesFocus: true }
  static override styles = styled(css`
    :host { display: inline-flex; min-width: 0; --ff-popover-width: 400px; }
    ff-popover { min-width: 0; }
    .subscribed::part(chip) { padding: 0; border-color: transparent; background: none; }
  `)

  @property({ attribute: false }) client: Client | undefined
  @property({ attribute: false }) notification: Notification | undefined
  @property({ attribute: false }) texts: ReasonTexts = reasonTexts
  @property() align: 'start' | 'end' = 'start'
  @state() private opened = false

  /** show opens the explanation. */
  show(): void {
    this.renderRoot.querySelector('ff-popover')?.show()
  }

  /** The explanation is loaded when it is asked for. */
  #opened = (): void => {
    void import('./why.ts')
    this.opened = true
  }

  protected override render(): unknown {
    const { notification, texts } = this
    const reasons = sortedReasons(notification?.reasons ?? [])
    const [first] = reasons
    if (!notification || !first) return nothing
    const names = reasons.map((r) => texts.reasons[r])
    return html`<ff-popover .heading=${texts.heading} .align=${this.align} @open=${this.#opened}
        @close=${() => (this.opened = false)}>
      <ff-chip slot="trigger" action part="chip" class=${first} .icon=${icons[first]}
        .label=${texts.label(names[0] ?? '', names.slice(1).join(', '))}
        >${names[0]}</ff-chip>
      ${
        this.opened
          ? html`<ff-why part="why" .client=${this.client} .notification=${notification}
              .texts=${texts.explanation ?? explanationTexts} .stopTexts=${texts.stop ?? stopTexts}></ff-why>`
          : nothing
      }</ff-popover>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-reason': ReasonChip
  }
}
