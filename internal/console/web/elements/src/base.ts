import { css, type CSSResultGroup, LitElement } from 'lit'

/** Styles that every element has. */
export const baseStyles = css`
  :host { box-sizing: border-box; }
  :host([hidden]) { display: none !important; }
  *, *::before, *::after { box-sizing: border-box; }
  button, input, select, textarea { font: inherit; color: inherit; letter-spacing: inherit; }
  button { margin: 0; padding: 0; border: 0; background: none; text-align: inherit; cursor: pointer; }
  button:disabled { cursor: default; }
  :focus { outline: none; }
  :focus-visible { outline: 2px solid var(--ff-accent); outline-offset: 2px; }
  a { color: var(--ff-accent); text-decoration: none; border-radius: var(--ff-radius-sm); }
  a:hover { text-decoration: underline; }
  h1, h2, h3, h4, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
  ul, ol { list-style: none; }
  svg { display: block; flex: none; }
  .hidden-text {
    position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0;
    overflow: hidden; clip-path: inset(50%); white-space: nowrap; border: 0;
  }
`

/** Text styles for elements that are the root of a page's text: views, dialogs and floating panels. */
export const textStyles = css`
  :host {
    font: var(--ff-weight) var(--ff-size) / var(--ff-line) var(--ff-font);
    color: var(--ff-text); font-variant-numeric: tabular-nums;
  }
`

/** BaseElement is the base of all elements. Subclasses add styles by `static override styles = styled(css`…`)`. */
export class BaseElement extends LitElement {
  static override styles: CSSResultGroup = baseStyles
}

/** styled returns styles on top of those of every element. */
export function styled(...styles: CSSResultGroup[]): CSSResultGroup {
  return [baseStyles, ...styles]
}

/** define registers a custom element, unless a page has it already. */
export function define(name: string) {
  return (constructor: CustomElementConstructor): void => {
    if (!customElements.get(name)) customElements.define(name, constructor)
  }
}

/** emit dispatches an event that does not bubble. It reports whether no listener prevented the default. */
export function emit(from: EventTarget, name: string, detail?: unknown): boolean {
  return from.dispatchEvent(new CustomEvent(name, { detail, cancelable: true }))
}
