/** Gives the controls that the renderer leaves without a name one, now and whenever it renders. */
export function nameControls(root: HTMLElement): void {
  const name = () => {
    for (const row of root.querySelectorAll<HTMLElement>('tr[data-param-name]')) {
      for (const control of row.querySelectorAll('select, input, textarea')) {
        set(control, 'aria-label', row.dataset.paramName!)
      }
    }
    for (const control of root.querySelectorAll('.response select')) set(control, 'aria-label', 'Media type')
    for (const control of root.querySelectorAll(
      '.body-param-content-type select, .opblock-section-request-body select',
    )) {
      set(control, 'aria-label', 'Media type of the body')
    }
    for (const control of root.querySelectorAll('.body-param__text')) set(control, 'aria-label', 'Body')
    for (const control of root.querySelectorAll('.close-modal')) set(control, 'aria-label', 'Close')
    for (const control of root.querySelectorAll('.auth-btn-wrapper button')) control.removeAttribute('aria-label')
    for (const heading of root.querySelectorAll('.modal-ux-header h3')) set(heading, 'aria-level', '2')
    for (const heading of root.querySelectorAll('.modal-ux-content h4')) set(heading, 'aria-level', '3')
    for (const box of root.querySelectorAll('pre')) set(box, 'tabindex', '0')
    for (const box of root.querySelectorAll('.copy-to-clipboard')) box.removeAttribute('aria-label')
  }
  new MutationObserver(name).observe(root, { childList: true, subtree: true, attributeFilter: ['aria-label'] })
}

function set(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}
