import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { Check, Copy } from 'lucide'
import { BaseElement, define, styled, textStyles } from './base.ts'
import { type JSONNode, printJSON } from './json-text.ts'
import './icon-button.ts'

const payloadTexts = {
  copy: 'Copy the payload',
  copied: 'Copied',
  empty: 'The payload is empty.',
  more: (count: number) => `${count} more`,
}

const shownItems = 200

/** A payload as a tree, its numbers to the digit. It is hostile: all of it is shown as text. */
@define('ff-payload')
export class Payload extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
      :host { display: block; position: relative; }
      .tree {
        max-height: var(--ff-payload-height, 480px); overflow: auto; padding: var(--ff-space-2) var(--ff-space-3);
        padding-inline-end: 40px; border: 1px solid var(--ff-border); border-radius: var(--ff-radius);
        background: var(--ff-sunken); font: 12px / 18px var(--ff-font-mono); overflow-wrap: anywhere; direction: ltr;
        text-align: left;
      }
      ff-icon-button { position: absolute; inset-block-start: 4px; inset-inline-end: 4px; }
      .fields { padding-inline-start: 16px; }
      details > summary { cursor: pointer; width: fit-content; min-height: 18px; }
      .name { color: var(--ff-text-2); }
      .string { color: var(--ff-success); white-space: pre-wrap; unicode-bidi: isolate; }
      .number { color: var(--ff-accent); }
      .literal { color: var(--ff-warning); }
      .mark { color: var(--ff-text-3); }
      p { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
    `,
  )

  @property({ attribute: false }) value: JSONNode | undefined
  @property({ attribute: false }) texts = payloadTexts
  @property() label = 'Payload'
  @state() private copied = false

  protected override render(): unknown {
    const { value, texts } = this
    if (!value) return nothing
    if (value.kind === 'object' && value.fields.length === 0) return html`<p>${texts.empty}</p>`
    return html`<div class="tree" part="tree" role="group" aria-label=${this.label} tabindex="0">${body(value, 0)}</div>
      <ff-icon-button .icon=${this.copied ? Check : Copy} label=${this.copied ? texts.copied : texts.copy}
        @click=${this.#copy}></ff-icon-button>`
  }

  #copy = async (): Promise<void> => {
    if (!this.value) return
    await navigator.clipboard?.writeText(printJSON(this.value))
    this.copied = true
    setTimeout(() => (this.copied = false), 2000)
  }
}

function body(node: JSONNode, depth: number): unknown {
  const parts =
    node.kind === 'object'
      ? node.fields.map((f) => entry(f.name, f.value, depth))
      : node.kind === 'array'
        ? node.items.map((item, i) => entry(String(i), item, depth))
        : [scalar(node)]
  const rest = parts.length - shownItems
  return rest > 0 ? [parts.slice(0, shownItems), html`<div class="mark">${payloadTexts.more(rest)}</div>`] : parts
}

function entry(name: string, value: JSONNode, depth: number): unknown {
  const label = html`<span class="name"><bdi>${name}</bdi></span><span class="mark">: </span>`
  const size = value.kind === 'object' ? value.fields.length : value.kind === 'array' ? value.items.length : 0
  if (size === 0) return html`<div>${label}${scalar(value)}</div>`
  const mark = value.kind === 'object' ? `{ ${size} }` : `[ ${size} ]`
  return html`<details ?open=${depth < 3}><summary>${label}<span class="mark">${mark}</span></summary>
    <div class="fields">${body(value, depth + 1)}</div></details>`
}

function scalar(node: JSONNode): unknown {
  if (node.kind === 'object') return html`<span class="mark">{}</span>`
  if (node.kind === 'array') return html`<span class="mark">[]</span>`
  return html`<span class=${node.kind}>${node.kind === 'string' ? `"${node.text}"` : node.text}</span>`
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-payload': Payload
  }
}
