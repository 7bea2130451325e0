import type { Client } from '@fanfare/client'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import type { Follow } from '@fanfare/elements/following/follow'
import { icon } from '@fanfare/elements/icon'
import { inlineStyle } from '@fanfare/elements/inline-style'
import { ChevronRight, Users } from '@fanfare/elements/icons'
import type { VirtualList } from '@fanfare/elements/virtual-list'
import { html, nothing } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { above, nameOf, type Node, type Row } from './tree.ts'
import { treeStyles } from './tree_styles.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/chip'
import '@fanfare/elements/following/follow'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/virtual-list'

/** targetOf returns a node as ff-follow takes it. */
export function targetOf(node: Node) {
  const { resource_id: id, has_children: hasChildren } = node.resource
  const ancestors = above(node).map((r) => ({ id: r.resource_id, name: nameOf(r) }))
  return { id, name: nameOf(node.resource), hasChildren, ancestors }
}

/**
 * The rows of a tree, with what the caller follows. Fires `toggle`, `more`, `mark` and `details` with the node, and
 * `done` and `failed` of ff-follow.
 */
@define('ff-resource-tree')
export class ResourceTree extends BaseElement {
  static override styles = styled(textStyles, treeStyles)

  @property({ attribute: false }) client: Client | undefined
  @property({ attribute: false }) rows: readonly Row[] = []
  @property({ attribute: false }) marked: ReadonlySet<string> = new Set()
  /** The id of the resource whose details are shown. */
  @property() current = ''
  @property() label = ''
  /** Shows where a resource is, in a list without its ancestors. */
  @property({ attribute: false }) pathOf: ((node: Node) => string) | undefined
  @state() private focused = 0
  @query('ff-virtual-list') private list!: VirtualList<Row>

  protected override willUpdate(): void {
    this.focused = Math.max(0, Math.min(this.focused, this.rows.length - 1))
  }

  protected override render(): unknown {
    return html`<div class="columns" aria-hidden="true"><span>Resource</span><span>Following</span>
        <span>Notifies you of</span></div>
      <ff-virtual-list role="treegrid" row-role="presentation" aria-label=${this.label} aria-multiselectable="true"
        aria-rowcount=${this.rows.length} .items=${this.rows} .renderItem=${this.#row} .keyOf=${keyOf} estimate="39"
        .keep=${this.focused} @keydown=${this.#key} @focusin=${this.#focusin}></ff-virtual-list>`
  }

  #row = (row: Row, index: number): unknown => {
    const { node } = row
    const tab = index === this.focused ? 0 : -1
    const depth = inlineStyle({
      '--depth': String(this.pathOf ? 0 : row.kind === 'node' ? node.depth : node.depth + 1),
    })
    if (row.kind !== 'node') return this.#note(row, index, tab, depth)
    const { resource } = node
    const name = nameOf(resource)
    const path = this.pathOf?.(node)
    const marks = [
      ...(resource.owner ? ['owner'] : []),
      ...resource.roles.filter((r) => r !== 'owner' || !resource.owner),
    ]
    return html`<div role="row" class="row ${resource.resource_id === this.current ? 'current' : ''}" ${depth}
      tabindex=${tab} data-row=${index} aria-rowindex=${index + 1} aria-level=${node.depth + 1}
      aria-expanded=${resource.has_children && !path ? String(node.open) : nothing}
      aria-selected=${String(this.marked.has(resource.resource_id))}>
      <div role="gridcell" class="name"><span class="indent"></span>${
        resource.has_children && !path
          ? html`<button type="button" class="twisty" tabindex="-1"
            aria-label=${`${node.open ? 'Close' : 'Open'} ${name}`}
              @click=${() => emit(this, 'toggle', node)}>${icon(ChevronRight, 14)}</button>`
          : html`<span class="gap"></span>`
      }<input type="checkbox" tabindex="-1" aria-label=${`Select ${name}`}
          .checked=${this.marked.has(resource.resource_id)} @change=${() => emit(this, 'mark', node)}>
        <bdi class="title" title=${name}>${name}</bdi>${
          resource.type === name ? nothing : html`<span class="type">${resource.type}</span>`
        }${path ? html`<span class="path" title=${path}>${path}</span>` : nothing}${marks.map(
          (m) => html`<ff-chip tone=${m === 'owner' ? 'accent' : 'neutral'}>${m}</ff-chip>`,
        )}</div>
      <div role="gridcell" class="follow"><ff-follow plain show="follow" size="sm" tab="-1" .client=${this.client}
        .target=${targetOf(node)} @done=${this.#again} @failed=${this.#again}></ff-follow></div>
      <div role="gridcell" class="level"><ff-follow plain show="level" size="sm" tab="-1" .client=${this.client}
        .target=${targetOf(node)} @done=${this.#again} @failed=${this.#again}></ff-follow></div>
      <div role="gridcell"><button type="button" class="twisty details" tabindex="-1" title="Who else follows"
        aria-label=${`Who else follows ${name}`}
          @click=${() => emit(this, 'details', node)}>${icon(Users, 14)}</button></div>
    </div>`
  }

  #note(row: Row, index: number, tab: number, depth: unknown): unknown {
    const name = nameOf(row.node.resource)
    const more = (): void => void emit(this, 'more', row.node)
    return html`<div role="row" class="row" ${depth} tabindex=${tab} data-row=${index} aria-rowindex=${index + 1}
      aria-level=${row.node.depth + 2}><div role="gridcell" class="name note"><span class="indent"></span>
        <span class="gap"></span>${
          row.kind === 'loading'
            ? html`Loading what is under ${name}…`
            : row.kind === 'failed'
              ? html`What is under ${name} could not be loaded. ${messageOf(row.node.error)}
                <ff-button variant="link" @click=${more}>Try again</ff-button>`
              : html`<ff-button variant="link" @click=${more}>Show more of ${name}</ff-button>`
        }</div></div>`
  }

  /** again passes on what ff-follow fires, which does not bubble. */
  #again = (event: CustomEvent): void => {
    if (!emit(this, event.type, event.detail)) event.preventDefault()
  }

  #focusin = (event: FocusEvent): void => {
    const row = event.composedPath().find((at) => at instanceof HTMLElement && at.dataset['row'] !== undefined)
    if (row instanceof HTMLElement) this.focused = Number(row.dataset['row'])
  }

  #key = (event: KeyboardEvent): void => {
    const row = this.rows[this.focused]
    if (!row || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return
    const path = event.composedPath()
    if (path.some((at) => at instanceof HTMLElement && at.matches('[popover], dialog'))) return
    const host = this.#host(this.focused)
    const controls = host ? controlsOf(host) : []
    const at = controls.findIndex((c) => path.includes(c))
    const rtl = getComputedStyle(this).direction === 'rtl'
    const key = rtl ? ({ ArrowLeft: 'ArrowRight', ArrowRight: 'ArrowLeft' }[event.key] ?? event.key) : event.key
    const { node } = row
    const openable = row.kind === 'node' && node.resource.has_children && !this.pathOf
    const handlers: Record<string, (() => void) | undefined> = {
      ArrowDown: () => this.focusRow(this.focused + 1),
      ArrowUp: () => this.focusRow(this.focused - 1),
      PageDown: () => this.focusRow(this.focused + 10),
      PageUp: () => this.focusRow(this.focused - 10),
      Home: () => this.focusRow(0),
      End: () => this.focusRow(this.rows.length - 1),
      ArrowRight: () => {
        if (at < 0 && openable && !node.open) emit(this, 'toggle', node)
        else controls[at + 1]?.focus()
      },
      ArrowLeft: () => {
        if (at > 0) controls[at - 1]?.focus()
        else if (at === 0) host?.focus()
        else if (openable && node.open) emit(this, 'toggle', node)
        else
          this.focusRow(
            this.rows.findIndex((r) => r.kind === 'node' && r.node === (row.kind === 'node' ? node.parent : node)),
          )
      },
      Escape: at >= 0 ? () => host?.focus() : undefined,
      Enter:
        at >= 0
          ? undefined
          : () =>
              row.kind === 'node' ? emit(this, 'details', node) : row.kind === 'loading' || emit(this, 'more', node),
      ' ': at >= 0 || row.kind !== 'node' ? undefined : () => void emit(this, 'mark', node),
      f: at >= 0 ? undefined : () => host?.querySelector<Follow>('ff-follow[show=follow]')?.open(),
      l: at >= 0 ? undefined : () => host?.querySelector<Follow>('ff-follow[show=level]')?.open(),
    }
    const run = handlers[key]
    if (!run) return
    event.preventDefault()
    run()
  }

  #host(index: number): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(`[data-row="${index}"]`)
  }

  /** focusRow moves the focus to a row. */
  focusRow(index: number): void {
    const to = Math.max(0, Math.min(index, this.rows.length - 1))
    if (index < 0 && this.focused === 0) return
    this.focused = to
    this.list.scrollToIndex(to)
    void this.#focus(to)
  }

  async #focus(index: number): Promise<void> {
    await this.updateComplete
    await this.list.updateComplete
    this.#host(index)?.focus()
  }
}

function keyOf(row: Row): string {
  return `${row.kind} ${row.node.resource.resource_id}`
}

function controlsOf(row: HTMLElement): HTMLElement[] {
  return [...row.querySelectorAll<HTMLElement>('input, ff-follow, .details, ff-button')]
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
