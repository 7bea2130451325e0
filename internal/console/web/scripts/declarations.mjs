// Writes the declarations of @fanfare/widgets to widgets/dist/types, with those of the private elements that they need.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const types = join(root, 'widgets/dist/types')

rmSync(types, { recursive: true, force: true })
execFileSync('npx', ['tsc', '-p', 'widgets/tsconfig.types.json'], { cwd: root, stdio: 'inherit' })

const files = readdirSync(types, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.d.ts'))
const read = (name) => readFileSync(join(types, name), 'utf8')

for (const name of files) {
  const text = read(name).replace(/(['"])@fanfare\/elements\/([\w./-]+)\1/g, (_, quote, path) => {
    const found = relative(dirname(join(types, name)), join(types, 'elements/src', path))
    return `${quote}${found.startsWith('.') ? found : `./${found}`}.js${quote}`
  })
  writeFileSync(join(types, name), text.replace(/((?:from|import)\s*\(?\s*['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'))
}

// What index.d.ts does not reach is not part of the package.
const reached = new Set()
const reach = (name) => {
  if (reached.has(name)) return
  reached.add(name)
  for (const [, path] of read(name).matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]*)\.js['"]/g)) {
    reach(join(dirname(name), `${path}.d.ts`))
  }
}
reach('widgets/src/index.d.ts')
files.filter((name) => !reached.has(name)).forEach((name) => rmSync(join(types, name)))
