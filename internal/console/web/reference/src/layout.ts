import type { Component, Plugin, System } from 'swagger-ui-dist/swagger-ui-es-bundle.js'
import { buttonID } from './operations.ts'

/** The page: a header, the operations by group, and the document. */
export const layout: Plugin = (system) => ({
  components: {
    ReferenceLayout: layoutOf(system),
    ReferenceNavigation: navigationOf(system),
    ReferenceCredentials: credentialsOf(system),
  },
  statePlugins: {
    layout: { wrapActions: { scrollToElement: () => scrollTo } },
    spec: { wrapActions: { parseToJson: () => (text: string) => parse(system, text) } },
  },
})

function layoutOf(system: System): Component {
  const { createElement: h, useEffect } = system.React
  return () => {
    const { specSelectors: document, getComponent } = system
    const state = document.loadingStatus()
    useEffect(() => {
      const follow = () => system.layoutActions.parseDeepLinkHash(decodeURIComponent(location.hash))
      addEventListener('hashchange', follow)
      return () => removeEventListener('hashchange', follow)
    }, [])
    if (state !== 'success' || !document.info()?.get('title')) return h(progress, { h, failed: /fail/.test(state) })
    const [intro, types] = document.info().get('description').split(' The types:')
    return h(
      'div',
      { className: 'swagger-ui page' },
      h(getComponent('SvgAssets')),
      h('a', { className: 'skip', href: '#reference-content', onClick: skip }, 'Skip to the content'),
      h(
        'header',
        null,
        h('h1', null, `${document.info().get('title')} API`),
        h('span', { className: 'version' }, document.info().get('version')),
        h('span', { className: 'space' }),
        h('a', { href: 'openapi.json' }, 'openapi.json'),
        h('a', { href: '../console/' }, 'Console'),
        h(getComponent('ReferenceCredentials')),
      ),
      h(getComponent('ReferenceNavigation')),
      h(
        'main',
        { id: 'reference-content', tabIndex: -1 },
        h(getComponent('errors', true)),
        h(getComponent('Markdown', true), { source: intro }),
        h(
          'p',
          { className: 'credentials' },
          'Requests that you try here carry the session of the console, if this browser has one, and what you enter ' +
            'under Authorize, which the page forgets when it is closed.',
        ),
        h(getComponent('operations', true)),
        types && h('h2', null, 'Problem types'),
        types && h(getComponent('Markdown', true), { source: types }),
      ),
    )
  }
}

// credentialsOf asks for a token alone: a page cannot set the cookie, and a gateway sets its headers itself.
function credentialsOf(system: System): Component {
  const { createElement: h } = system.React
  const { authActions, authSelectors, getComponent } = system
  const show = () =>
    authActions.showDefinitions(authSelectors.definitionsToAuthorize().filter((scheme) => scheme.has('token')))
  return () => [
    h('button', { key: 'open', type: 'button', className: 'btn', onClick: show }, 'Authorize'),
    authSelectors.shownDefinitions() && h(getComponent('authorizationPopup', true), { key: 'dialog' }),
  ]
}

// scrollTo is an action that does not change the state.
function scrollTo(element: HTMLElement): { type: string } {
  element.scrollIntoView({ block: 'start' })
  return { type: 'reference_scrolled' }
}

// parse reads the document as the JSON that it is. The renderer reads YAML, which takes a second more.
function parse(system: System, text: string): unknown {
  try {
    return system.specActions.updateJsonSpec(JSON.parse(text))
  } catch (error) {
    return system.errActions.newSpecErr({ source: 'parser', level: 'error', message: String(error) })
  }
}

function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('reference-content')?.focus()
}

const progress = ({ h, failed }: { h: System['React']['createElement']; failed: boolean }) =>
  h(
    'p',
    { className: 'loading-note', role: 'status' },
    failed
      ? 'The OpenAPI document could not be read. Check that the server answers at '
      : 'Loading the OpenAPI document from ',
    h('a', { href: 'openapi.json' }, 'openapi.json'),
    '.',
  )

interface Entry {
  tag: string
  id: string
  method: string
  path: string
  title: string
}

function navigationOf(system: System): Component {
  const { createElement: h, useState } = system.React
  return () => {
    const [query, setQuery] = useState('')
    const entries = entriesOf(system).filter((entry) => matches(entry, query))
    const groups = [...new Set(entries.map((entry) => entry.tag))]
    return h(
      'nav',
      { 'aria-label': 'Operations' },
      h('input', {
        type: 'search',
        value: query,
        placeholder: 'Filter operations',
        'aria-label': 'Filter operations',
        onChange: (event: { target: HTMLInputElement }) => setQuery(event.target.value),
      }),
      h('p', { className: 'count', role: 'status' }, query && `${entries.length} found`),
      ...groups.map((tag) =>
        h(
          'details',
          { key: tag, open: true },
          h('summary', null, tag),
          h('ul', null, ...entries.filter((entry) => entry.tag === tag).map((entry) => linkOf(system, entry))),
        ),
      ),
    )
  }
}

function linkOf(system: System, { tag, id, method, title }: Entry): unknown {
  const { createElement: h } = system.React
  const open = (event: Event) => {
    event.preventDefault()
    system.layoutActions.show(['operations', tag, id], true)
    const button = document.getElementById(buttonID(id))
    button?.scrollIntoView({ block: 'start' })
    button?.focus({ preventScroll: true })
  }
  return h(
    'li',
    { key: id },
    h(
      'a',
      { href: `#/${tag.replace(/\s/g, '_')}/${id}`, onClick: open },
      h('span', { className: `method method-${method}` }, method.toUpperCase()),
      ' ',
      h('span', null, title),
    ),
  )
}

function entriesOf(system: System): Entry[] {
  return system.specSelectors
    .taggedOperations()
    .entrySeq()
    .toArray()
    .flatMap(([tag, group]) =>
      group
        .get('operations')
        .toArray()
        .map((operation: { toJS(): any }) => {
          const { path, method, operation: o } = operation.toJS()
          return { tag, id: o.operationId, method, path, title: o.summary ?? path }
        }),
    )
}

const matches = ({ title, path, id }: Entry, query: string) =>
  `${title} ${path} ${id}`.toLowerCase().includes(query.trim().toLowerCase())
