import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const dist = join(import.meta.dirname, '../dist')
const assets = (folder) => {
  const at = join(dist, folder, 'assets')
  return existsSync(at)
    ? readdirSync(at)
        .filter((f) => /\.(js|css)$/.test(f))
        .map((f) => join(at, f))
    : []
}

/** A script and what it imports at once. */
function bundle(path, found = new Set()) {
  const at = join(dist, path)
  if (found.has(at) || !existsSync(at)) return [...found]
  found.add(at)
  const text = path.endsWith('.js') ? readFileSync(at, 'utf8') : ''
  for (const [, next] of text.matchAll(/(?:from|import)\s*["']\.\/([\w./-]+\.js)["']/g)) {
    bundle(join(dirname(path), next), found)
  }
  return [...found]
}

/** The scripts and styles that a page loads before its first view: those that it names, and what they import. */
function firstLoad(folder) {
  const page = join(dist, folder, 'index.html')
  const found = new Set()
  const text = existsSync(page) ? readFileSync(page, 'utf8') : ''
  for (const [, name] of text.matchAll(/assets\/([\w.-]+\.(?:js|css))/g)) bundle(`${folder}/assets/${name}`, found)
  return [...found]
}

const budgets = [
  { name: 'console shell', path: firstLoad('console'), limit: '60 kB' },
  { name: 'console, all views', path: assets('console'), limit: '150 kB' },
  { name: 'widgets with the client', path: bundle('widgets/fanfare-widgets.js'), limit: '40 kB' },
]

export default budgets.filter((b) => b.path.length > 0).map((b) => ({ ...b, gzip: true }))
