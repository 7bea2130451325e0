export type Side = 'bottom' | 'top'
export type Align = 'start' | 'end' | 'center'

/**
 * place puts a fixed element beside its anchor, on the other side where there is no room, and within the
 * window, above what `--ff-covered` takes at its bottom. It returns the side.
 */
export function place(anchor: DOMRect, floating: HTMLElement, side: Side, align: Align, gap = 4): Side {
  const margin = 8
  const { innerWidth, innerHeight } = window
  floating.style.maxWidth = `${innerWidth - 2 * margin}px`
  const style = getComputedStyle(floating)
  const { offsetWidth: width, offsetHeight: height } = floating
  const below = innerHeight - anchor.bottom - gap - margin - (parseFloat(style.scrollMarginBottom) || 0)
  const above = anchor.top - gap - margin
  const chosen =
    side === 'bottom'
      ? height <= below || below >= above
        ? 'bottom'
        : 'top'
      : height <= above || above >= below
        ? 'top'
        : 'bottom'
  floating.style.maxHeight = `${Math.max(96, chosen === 'bottom' ? below : above)}px`
  const rtl = style.direction === 'rtl'
  const left =
    align === 'center'
      ? anchor.left + (anchor.width - width) / 2
      : (align === 'start') !== rtl
        ? anchor.left
        : anchor.right - width
  const tall = Math.min(height, Math.max(96, chosen === 'bottom' ? below : above))
  floating.style.left = `${Math.max(margin, Math.min(left, innerWidth - width - margin))}px`
  floating.style.top = `${chosen === 'bottom' ? anchor.bottom + gap : anchor.top - gap - tall}px`
  return chosen
}
