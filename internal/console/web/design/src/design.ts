import { BaseElement, define, styled, textStyles } from '@fanfare/elements/base'
import type { Dialog } from '@fanfare/elements/dialog'
import { icon } from '@fanfare/elements/icon'
import {
  Archive,
  Bell,
  BellOff,
  Check,
  Clock,
  Copy,
  Ellipsis,
  Filter,
  Inbox,
  Mail,
  Moon,
  Search,
  Sun,
  Trash2,
  User,
  Zap,
} from '@fanfare/elements/icons'
import type { MenuItem } from '@fanfare/elements/menu'
import type { Toast, Toasts } from '@fanfare/elements/toast'
import { css, html } from 'lit'
import { query, state } from 'lit/decorators.js'
import { failures, hostile, ordinary, pairs } from './samples.ts'
import '@fanfare/elements/tokens.css'
import '../../console/src/page.css'
import './contrast.ts'
import '@fanfare/elements/activity-text'
import '@fanfare/elements/avatar'
import '@fanfare/elements/badge'
import '@fanfare/elements/banner'
import '@fanfare/elements/button'
import '@fanfare/elements/checkbox'
import '@fanfare/elements/chip'
import '@fanfare/elements/dialog'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/input'
import '@fanfare/elements/kbd'
import '@fanfare/elements/menu'
import '@fanfare/elements/popover'
import '@fanfare/elements/progress'
import '@fanfare/elements/segmented'
import '@fanfare/elements/select'
import '@fanfare/elements/severity'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/switch'
import '@fanfare/elements/tabs'
import '@fanfare/elements/time'
import '@fanfare/elements/toast'
import '@fanfare/elements/virtual-list'

const surfaces = [
  'bg',
  'surface',
  'sunken',
  'raised',
  'hover',
  'active',
  'selected',
  'border',
  'border-strong',
  'border-control',
]
const inks = [
  'text',
  'text-2',
  'text-3',
  'accent',
  'accent-hover',
  'accent-soft',
  'brass',
  'success',
  'warning',
  'error',
  'critical',
]
const tones = ['neutral', 'accent', 'success', 'warning', 'error', 'critical'] as const
const menu: MenuItem[] = [
  { heading: 'Stop notifications of' },
  { id: 'resource', label: 'This resource', hint: 'Atlas grip', icon: BellOff },
  { id: 'person', label: 'This person', hint: 'Grace Lindqvist', icon: User },
  { separator: true },
  { id: 'archive', label: 'Archive', icon: Archive, shortcut: 'e' },
  { id: 'unread', label: 'Unread', checked: true },
  { id: 'off', label: 'Not available', icon: Clock, disabled: true },
  { id: 'delete', label: 'Discard', icon: Trash2, danger: true },
]
const options = [
  { value: 'a', label: 'All' },
  { value: 'm', label: 'Mutations' },
  { value: 'c', label: 'Custom' },
]
const minutesAgo = (m: number): string => new Date(Date.now() - m * 60_000).toISOString()

const levels = ['info', 'warning', 'error', 'critical']
const names = ['Ada Okafor', 'Grace Lindqvist', 'Linus Brandt', 'نور الدين', 'Zoe', '山田 太郎', 'Émile Zola', '']
const ages = [0, 3, 90, 1600, 20_000, 700_000]
const undone: Toast = { text: 'Archived', action: { label: 'Undo', run: () => {} } }
const refused: Toast = { text: 'The change was refused.', tone: 'error' }

/** The design: tokens, type, spacing, colours, and every element in every state. */
@define('ff-design')
export class Design extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host { display: block; height: 100vh; overflow: auto; background: var(--ff-bg); }
    main { max-width: 1120px; margin: auto; padding: var(--ff-space-8) var(--ff-space-6) 96px; }
    h1 { font-size: 24px; line-height: 32px; font-weight: 600; letter-spacing: -0.01em; }
    h2 { margin: var(--ff-space-8) 0 var(--ff-space-3); font-size: var(--ff-size-lg); font-weight: 600; }
    h3 { margin-block-end: var(--ff-space-2); font-size: var(--ff-size-sm); color: var(--ff-text-3); font-weight: 500; }
    .card {
      padding: var(--ff-space-4); border: 1px solid var(--ff-border); border-radius: var(--ff-radius-lg);
      background: var(--ff-surface);
    }
    .row { display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-2) var(--ff-space-3); }
    .row + .row { margin-block-start: var(--ff-space-3); }
    .two {
      display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: var(--ff-space-4);
    }
    .fields {
      display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: var(--ff-space-4);
      align-items: start;
    }
    ff-virtual-list { height: 240px; border: 1px solid var(--ff-border); border-radius: var(--ff-radius); }
    .item {
      display: flex; align-items: center; gap: var(--ff-space-3); padding: 10px var(--ff-space-3);
      border-block-end: 1px solid var(--ff-border);
    }
    .item ff-activity-text { flex: 1; }
    .meta { color: var(--ff-text-3); font-size: var(--ff-size-sm); }
    ff-progress { flex: 1 1 200px; }
  `,
  )

  @state() private tab = 'inbox'
  @state() private choice = 'm'
  @state() private on = true
  @query('ff-dialog') private dialog!: Dialog
  @query('ff-toasts') private toasts!: Toasts

  protected override render(): unknown {
    return html`<main>
      <h1>Design of the console and the widgets</h1>
      <h2>Colour</h2>${this.#colours()}
      <h2>Type</h2>${this.#type()}
      <h2>Actions</h2>${this.#actions()}
      <h2>Marks</h2>${this.#marks()}
      <h2>Fields</h2>${this.#fields()}
      <h2>Lists and text</h2>${this.#lists()}
      <h2>States</h2>${this.#states()}
    </main><ff-toasts></ff-toasts>
    <ff-dialog heading="Discard 1,204 dead letters?">They match the filter. They are not delivered, and this cannot be
      undone. The log records who discarded them.
      <ff-button slot="footer" @click=${() => {
        this.dialog.open = false
      }}>Cancel</ff-button>
      <ff-button slot="footer" variant="danger">Discard all</ff-button></ff-dialog>`
  }

  #colours(): unknown {
    return html`<div class="card"><ff-swatches .names=${surfaces}></ff-swatches><ff-swatches
      .names=${inks}></ff-swatches>
      <ff-contrasts .pairs=${pairs}></ff-contrasts></div>`
  }

  #type(): unknown {
    return html`<div class="card"><ff-type-scale></ff-type-scale></div>`
  }

  #actions(): unknown {
    const variants = ['default', 'primary', 'ghost', 'danger', 'link'] as const
    return html`<div class="card">
      <div class="row">${variants.map((v) => html`<ff-button variant=${v}>${v}</ff-button>`)}
        <ff-button variant="primary" .busy=${true}>Busy</ff-button><ff-button .disabled=${true}>Disabled</ff-button>
        <ff-button .pressed=${true}>Pressed</ff-button><ff-button>${icon(Check, 14)} With icon</ff-button></div>
      <div class="row">${variants.map((v) => html`<ff-button size="sm" variant=${v}>${v}</ff-button>`)}</div>
      <div class="row">
        <ff-icon-button .icon=${Archive} label="Archive" shortcut="e"></ff-icon-button>
        <ff-icon-button .icon=${Clock} label="Snooze" .pressed=${true}></ff-icon-button>
        <ff-icon-button .icon=${Mail} label="Mark as unread" variant="default" size="md"></ff-icon-button>
        <ff-icon-button .icon=${Trash2} label="Discard" variant="danger" size="md"></ff-icon-button>
        <ff-icon-button .icon=${Copy} label="Copy" .disabled=${true}></ff-icon-button>
        <ff-menu .items=${menu} label="More"><ff-icon-button slot="trigger" .icon=${Ellipsis}
          label="More"></ff-icon-button></ff-menu>
        <ff-menu .items=${menu}><ff-button slot="trigger">Menu</ff-button></ff-menu>
        <ff-popover heading="Why was I notified?"><ff-chip
          slot="trigger" action>subscribed</ff-chip>You follow Atlas grip,
          and its mode is mutations. The pattern *.updated* matches plan.updated.</ff-popover>
        <ff-button @click=${() => {
          this.dialog.open = true
        }}>Dialog</ff-button>
        <ff-button @click=${() => this.toasts.show(undone)}>Toast</ff-button>
        <ff-button @click=${() => this.toasts.show(refused)}>Error toast</ff-button>
        <ff-kbd keys="g i"></ff-kbd> <ff-kbd keys="$mod+k"></ff-kbd>
      </div>
      <ff-tabs label="State" .selected=${this.tab} .tabs=${[
        { id: 'inbox', label: 'Inbox', count: 12 },
        { id: 'unread', label: 'Unread', count: 134 },
        { id: 'snoozed', label: 'Snoozed' },
        { id: 'archived', label: 'Archived' },
      ]}
        @change=${(e: CustomEvent<string>) => {
          this.tab = e.detail
        }}></ff-tabs></div>`
  }

  #marks(): unknown {
    return html`<div class="card">
      <div class="row">${tones.map((t) => html`<ff-chip tone=${t}>${t}</ff-chip>`)}
        <ff-chip .icon=${Bell} tone="accent">owner</ff-chip><ff-chip action>subscribed</ff-chip>
        <ff-chip action .pressed=${true}>unread</ff-chip><ff-chip key="actor" removable>Grace Lindqvist</ff-chip></div>
      <div class="row">${tones.map((t) => html`<ff-badge tone=${t} .count=${3}></ff-badge>`)}<ff-badge tone="accent"
        .count=${120} label="120 unread"></ff-badge></div>
      <div class="row">${levels.map(
        (l) => html`<ff-severity level=${l}></ff-severity>
        <ff-severity level=${l} text></ff-severity>`,
      )}</div>
      <div class="row">${names.map((n) => html`<ff-avatar name=${n}></ff-avatar>`)}
        <ff-avatar name="Nightly importer" kind="service"></ff-avatar><ff-avatar name="Copilot"
          kind="agent"></ff-avatar>
        <ff-avatar name="Editors" kind="group"></ff-avatar><ff-avatar name="Ada Okafor" size="sm"></ff-avatar>
        <ff-avatar name="Ada Okafor" size="lg"></ff-avatar></div>
      <div class="row meta">${ages.map((m) => html`<ff-time datetime=${minutesAgo(m)}></ff-time>`)}
        <ff-time datetime=${minutesAgo(3)} format="long"></ff-time><ff-time datetime=${minutesAgo(3)}
          format="short"></ff-time></div></div>`
  }

  #fields(): unknown {
    return html`<div class="card fields">
      <ff-input label="Pattern" value="plan.*" hint="* matches any characters" mono></ff-input>
      <ff-input label="Search" hide-label type="search" .icon=${Search} placeholder="Search the inbox" clearable
        value="atlas"></ff-input>
      <ff-input label="Hold until" type="date" error="Choose a day in the future."></ff-input>
      <ff-input label="Reason" rows="3" placeholder="Why is it held?"></ff-input>
      <ff-input label="Disabled" value="fixed" .disabled=${true}></ff-input>
      <ff-select label="Mode" .options=${options} value="m" hint="Which actions notify you"></ff-select>
      <ff-segmented label="Group by" .options=${options} .value=${this.choice} @change=${(e: CustomEvent<string>) => {
        this.choice = e.detail
      }}></ff-segmented>
      <ff-segmented label="Theme" hide-label .options=${[
        { value: 'l', label: 'Light', icon: Sun, iconOnly: true },
        { value: 'm', label: 'Dark', icon: Moon, iconOnly: true },
      ]} .value=${'m'}></ff-segmented>
      <ff-switch label="Mute notifications" hint="Those that address you still come, without a push."
        .checked=${this.on} @change=${(e: CustomEvent<boolean>) => {
          this.on = e.detail
        }}></ff-switch>
      <ff-switch label="Off"></ff-switch>
      <div><ff-checkbox label="Select all" indeterminate></ff-checkbox><ff-checkbox
        label="Chosen" checked></ff-checkbox><ff-checkbox label="Not chosen"></ff-checkbox></div></div>`
  }

  #lists(): unknown {
    const items = Array.from({ length: 5000 }, (_, i) => i)
    return html`<div class="two"><div class="card"><h3>5,000 rows</h3>
      <ff-virtual-list .items=${items} tabindex="0" aria-label="Rows" .renderItem=${(
        i: number,
      ) => html`<div class="item"><ff-avatar name=${ordinary.actor.display_name}></ff-avatar>
        <ff-activity-text .event=${ordinary} summary clamp></ff-activity-text><span
          class="meta">${i + 1}</span></div>`}></ff-virtual-list></div>
      <div class="card"><h3>Hostile text</h3><ff-activity-text .event=${hostile} summary links></ff-activity-text><br>
        <h3>Progress</h3><div class="row"><ff-progress label="Replay" .value=${400} .max=${1204}
          text="400 of 1,204"></ff-progress>
        <ff-progress label="Export" text="12 MB"></ff-progress></div><br>
        <h3>Banners</h3><ff-banner kind="offline"></ff-banner><ff-banner
          kind="info">A new version is running. Reload the page.</ff-banner>
        <ff-banner kind="error">Retention is not running.<ff-button slot="actions"
          size="sm">${icon(Zap, 14)} Run doctor</ff-button></ff-banner></div></div>`
  }

  #states(): unknown {
    return html`<div class="two"><div class="card"><ff-skeleton .count=${3}></ff-skeleton></div>
      <div class="card"><ff-empty .icon=${Inbox}
        heading="Nothing new">You have seen everything. Notifications appear here as they happen.
        <ff-button slot="actions">Show archived</ff-button></ff-empty></div>
      <div class="card"><ff-empty .icon=${Filter}
        heading="No activity matches">No activity in the last 7 days matches the filter.<ff-button
          slot="actions">Clear the filter</ff-button></ff-empty></div>
      ${failures.map(
        ([heading, error]) => html`<div class="card"><ff-error heading=${heading}
        .error=${error}></ff-error></div>`,
      )}
      <div class="card"><ff-error compact heading="The audience could not be loaded"
        .error=${failures[0]?.[1]}></ff-error></div></div>`
  }
}
