import { noChange } from 'lit'
import { directive, Directive, type ElementPart, type PartInfo, PartType } from 'lit/directive.js'

class InlineStyle extends Directive {
  #last: Record<string, string> = {}

  constructor(part: PartInfo) {
    super(part)
    if (part.type !== PartType.ELEMENT) throw new Error('inlineStyle belongs to an element: <div ${inlineStyle({…})}>')
  }

  render(_: Record<string, string>): unknown {
    return noChange
  }

  override update(part: ElementPart, [styles]: [Record<string, string>]): unknown {
    const { style } = part.element as HTMLElement
    for (const name of Object.keys(this.#last)) if (!(name in styles)) style.removeProperty(name)
    for (const [name, value] of Object.entries(styles)) {
      if (this.#last[name] !== value) style.setProperty(name, value)
    }
    this.#last = { ...styles }
    return noChange
  }
}

/**
 * inlineStyle sets styles of an element: `<div ${inlineStyle({height: '4px'})}>`. The policy of the pages
 * forbids style attributes, which styleMap writes when it renders first.
 */
export const inlineStyle = directive(InlineStyle) as (styles: Record<string, string>) => unknown
