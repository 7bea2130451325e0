import type { Component, Plugin, System } from 'swagger-ui-dist/swagger-ui-es-bundle.js'

/** A group, and an operation's line: one heading each, and one control that opens the operation. */
export const operations: Plugin = (system) => ({
  components: { OperationTag: groupOf(system), OperationSummary: summaryOf(system) },
  wrapComponents: { ParameterIncludeEmpty: () => () => null },
})

/** Returns the id of the heading of a group. */
const groupID = (tag: string) => `group-${tag}`

/** Returns the id of the button of an operation. */
export const buttonID = (operation: string) => `operation-${operation}`

function groupOf({ React: { createElement: h } }: System): Component {
  return ({ tag, children }: { tag: string; children: unknown }) =>
    h('section', { className: 'group', 'aria-labelledby': groupID(tag) }, h('h2', { id: groupID(tag) }, tag), children)
}

interface SummaryProps {
  isShown: boolean
  toggleShown(): void
  operationProps: { toObject(): Record<string, any> }
}

function summaryOf({ React: { createElement: h } }: System): Component {
  return ({ isShown, toggleShown, operationProps }: SummaryProps) => {
    const { method, path, op, summary, security, operationId, originalOperationId } = operationProps.toObject()
    const scopes = scopesOf(security?.toJS())
    return h(
      'h3',
      { className: 'summary' },
      h(
        'button',
        {
          id: buttonID(originalOperationId ?? operationId),
          type: 'button',
          'aria-expanded': isShown,
          onClick: toggleShown,
        },
        h('span', { className: `method method-${method}` }, method.toUpperCase()),
        h('span', { className: 'path' }, ...breakable(path, (key) => h('wbr', { key }))),
        h('span', { className: 'title' }, op.get('summary') || summary),
        ...scopes.map((scope) => h('span', { key: scope, className: 'scope' }, scope)),
      ),
    )
  }
}

// scopesOf returns the scopes that the first kind of credentials must carry.
function scopesOf(security: Record<string, string[]>[] = []): string[] {
  return Object.values(security[0] ?? {}).flat()
}

// breakable returns a path that may break before each slash.
function breakable(path: string, breakAt: (key: number) => unknown): unknown[] {
  return path.split(/(?=\/)/).flatMap((part, i) => (i === 0 ? [part] : [breakAt(i), part]))
}
