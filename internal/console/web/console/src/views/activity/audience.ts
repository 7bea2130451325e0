import { type components, ProblemError, unwrap } from '@fanfare/client'
import { BaseElement, define, styled, textStyles } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { Bell, BellOff } from '@fanfare/elements/icons'
import {
  type Explanation,
  explanationTexts,
  type Ground,
  modeOf,
} from '@fanfare/elements/notifications/explanation-texts'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { partStyles } from './detail_styles.ts'
import type { Names } from './names.ts'
import { Pages } from './pages.ts'
import type { Source } from './source.ts'
import '@fanfare/elements/avatar'
import '@fanfare/elements/button'
import '@fanfare/elements/chip'
import '@fanfare/elements/error'
import '@fanfare/elements/notifications/explanation'
import '@fanfare/elements/segmented'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/time'

type Member = components['schemas']['AudienceMember']
type Chosen = 'all' | 'true' | 'false'

const choices = [
  { value: 'all', label: 'All' },
  { value: 'true', label: 'Notified' },
  { value: 'false', label: 'Not notified' },
]

/** The reasons, the one that concerns a person most first. */
const reasons = { target: 'Addressed', owner: 'Owner', delegator: 'Delegator', subscribed: 'Following' } as const
type Reason = keyof typeof reasons

/** The texts of an explanation about another principal. */
const aboutOthers = {
  ...explanationTexts,
  notified: 'Would be notified now',
  notNotified: 'Would not be notified now',
  pushed: 'With a push',
  inboxOnly: 'In the inbox only',
  rules: {
    ...explanationTexts.rules,
    concern: 'Concerns them',
    actor: 'Their own action',
    target: 'Addressed to them',
  },
  ground: (ground: Ground, resource: string) =>
    ground.kind === 'owner'
      ? 'Owner of the resource'
      : explanationTexts.ground(ground, resource).replace('to you', 'to them').replace('You follow', 'Follows'),
  sentence: (why: string) => {
    if (why === 'is a target') return 'Is addressed'
    const mode = modeOf(why)
    return mode ? `Their preference is ${mode}` : why.charAt(0).toUpperCase() + why.slice(1)
  },
}

/** Who is notified of an activity, who is not, and why. Those who may not ask about others see it for themselves. */
@define('ff-activity-audience')
export class Audience extends BaseElement {
  static override styles = styled(
    textStyles,
    partStyles,
    css`
    .top { display: flex; padding-block: var(--ff-space-2) var(--ff-space-2); }
    li { padding: 8px 0; border-block-end: 1px solid var(--ff-border); }
    .person {
      display: grid; grid-template-columns: 28px minmax(0, 1fr) auto;
      gap: 0 var(--ff-space-3); align-items: center;
    }
    .name { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 6px; }
    .mark { display: inline-flex; color: var(--ff-accent); }
    .mark.not { color: var(--ff-text-3); }
    .why { grid-column: 2 / -1; overflow-wrap: anywhere; }
    ff-explanation, li > ff-error, li > ff-skeleton {
      display: flex; margin: var(--ff-space-2) 0 0 40px; padding: var(--ff-space-3);
      border-radius: var(--ff-radius); background: var(--ff-sunken);
    }
  `,
  )

  @property({ attribute: false }) source!: Source
  @property({ attribute: false }) names!: Names
  @property() activity = ''
  @property() me = ''
  @state() private chosen: Chosen = 'all'
  @state() private forbidden = false
  @state() private explained: { principal: string; explanation?: Explanation; error?: unknown } | undefined
  #pages = new Pages<Member>(() => this.#changed())
  #key = ''

  protected override willUpdate(): void {
    const key = `${this.activity} ${this.chosen}`
    if (key === this.#key) return
    this.#key = key
    this.explained = undefined
    this.forbidden = false
    const { activity: id, chosen } = this
    void this.#pages.start(async (cursor) => {
      const query = { limit: 50, ...(chosen === 'all' ? {} : { notified: chosen }), ...(cursor ? { cursor } : {}) }
      const page = await unwrap(
        this.source.client.GET('/activities/{id}/audience', { params: { path: { id }, query } }),
      )
      return { items: page.items, next: page.next_cursor }
    })
  }

  /** Those who may not ask about others see it for themselves. */
  #changed(): void {
    this.requestUpdate()
    const { error } = this.#pages
    if (this.forbidden || !(error instanceof ProblemError) || error.status !== 404) return
    this.forbidden = true
    void this.#explain(this.me)
  }

  async #explain(principal: string): Promise<void> {
    if (this.explained?.principal === principal && !this.forbidden) {
      this.explained = undefined
      return
    }
    this.explained = { principal }
    try {
      const query = principal === this.me ? {} : { principal_id: principal }
      const params = { path: { id: this.activity }, query }
      const explanation = await unwrap(this.source.client.GET('/activities/{id}/explain', { params }))
      await this.names.resources(explanation.grounds.map((g) => g.resource_id ?? ''))
      if (this.explained?.principal === principal) this.explained = { principal, explanation }
    } catch (error) {
      if (this.explained?.principal === principal) this.explained = { principal, error }
    }
  }

  protected override render(): unknown {
    if (this.forbidden) {
      return html`<p class="note">The owner of the resource, its delegators and administrators see who
        is notified. For you:</p>
        ${this.#explanation(this.me)}`
    }
    return html`<div class="top"><ff-segmented label="Show" hide-label .options=${choices} value=${this.chosen}
        @change=${(e: CustomEvent<Chosen>) => (this.chosen = e.detail)}></ff-segmented></div>
      <ul aria-label="Audience">${this.#pages.items.map((m) => this.#member(m))}</ul>${this.#end()}`
  }

  #end(): unknown {
    const { items, next, busy, error } = this.#pages
    const more = (): void => void this.#pages.more()
    if (error) {
      return html`<ff-error compact heading="The audience could not be loaded" .error=${error}
        @retry=${more}></ff-error>`
    }
    if (busy && items.length === 0)
      return html`<ff-skeleton kind="rows" count="4" label="Loading the audience"></ff-skeleton>`
    if (next) return html`<div class="more"><ff-button ?busy=${busy} @click=${more}>Show more</ff-button></div>`
    if (items.length > 0) return nothing
    return html`<p class="note">${
      {
        all: 'No one follows or owns the resource, is a delegator, or is addressed.',
        true: 'No one would be notified now.',
        false: 'All candidates would be notified now.',
      }[this.chosen]
    }</p>`
  }

  #member(m: Member): unknown {
    const open = this.explained?.principal === m.principal_id
    const first = (Object.keys(reasons) as Reason[]).find((r) => m.now.reasons?.includes(r))
    const name = m.display_name || `${m.kind} ${m.principal_id.slice(-6)}`
    return html`<li><div class="person"><ff-avatar .name=${m.display_name} .kind=${m.kind}></ff-avatar>
        <div><div class="name"><bdi>${name}</bdi>
          <span class="mark ${m.now.notified ? '' : 'not'}">${icon(m.now.notified ? Bell : BellOff, 14)}<span
            class="hidden-text"
            >${m.now.notified ? 'notified' : 'not notified'}</span></span>
          ${first ? html`<ff-chip>${reasons[first]}</ff-chip>` : nothing}</div></div>
        <ff-button size="sm" label="Why: ${name}" .expanded=${open}
          @click=${() => void this.#explain(m.principal_id)}>Why</ff-button>
        <div class="why meta">${
          m.now.why === 'is a target' ? nothing : aboutOthers.sentence(m.now.why)
        }${then(m)}</div></div>
      ${open ? this.#explanation(m.principal_id) : nothing}</li>`
  }

  #explanation(principal: string): unknown {
    const { explained } = this
    if (explained?.error) {
      return html`<ff-error compact heading="The explanation could not be loaded" .error=${explained.error}
        @retry=${() => void this.#explain(principal)}></ff-error>`
    }
    if (!explained?.explanation)
      return html`<ff-skeleton kind="text" count="3" label="Loading the explanation"></ff-skeleton>`
    return html`<ff-explanation .explanation=${explained.explanation} .names=${this.names.all}
      .texts=${principal === this.me ? explanationTexts : aboutOthers}></ff-explanation>`
  }
}

/** then describes what the inbox holds. */
function then({ then: past }: Member): unknown {
  if (!past) return nothing
  if (past.state === 'pending') return html`<div class="faint">Not delivered yet</div>`
  if (past.state === 'dead') return html`<div class="faint">Could not be delivered</div>`
  if (past.state !== 'notified' || !past.at) return html`<div class="faint">Not in the inbox</div>`
  const later = past.read_at ? ['read', past.read_at] : past.seen_at ? ['seen', past.seen_at] : undefined
  return html`<div class="faint">In the inbox since <ff-time datetime=${past.at} format="short"></ff-time>${
    later ? html`, ${later[0]} <ff-time datetime=${later[1] ?? ''} format="short"></ff-time>` : ', not seen yet'
  }</div>`
}
