import type { IconNode } from 'lucide'
import { noChange } from 'lit'
import { directive, Directive, type Part } from 'lit/directive.js'

const namespace = 'http://www.w3.org/2000/svg'

/** An icon of icons.ts, or of lucide. */
export type Icon = IconNode

class IconDirective extends Directive {
  #last: Icon | undefined
  #size = 0

  render(node: Icon, size = 16): unknown {
    return svgOf(node, size)
  }

  override update(_: Part, [node, size = 16]: [Icon, number?]): unknown {
    if (node === this.#last && size === this.#size) return noChange
    this.#last = node
    this.#size = size
    return svgOf(node, size)
  }
}

/** icon renders an icon as decoration: `${icon(Bell)}`, with its size in pixels. */
export const icon = directive(IconDirective) as (node: Icon, size?: number) => unknown

function svgOf(node: Icon, size: number): SVGElement {
  const svg = document.createElementNS(namespace, 'svg')
  const attributes = {
    width: size,
    height: size,
    viewBox: '0 0 24 24',
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': size < 20 ? 2 : 1.75,
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
    'aria-hidden': 'true',
  }
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, String(value))
  for (const [tag, shape] of node) {
    const child = document.createElementNS(namespace, tag)
    for (const [name, value] of Object.entries(shape)) child.setAttribute(name, String(value))
    svg.append(child)
  }
  return svg
}
