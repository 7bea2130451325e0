// Writes the version of the workspace to its packages and to what they require of each other:
// node scripts/version.mjs [VERSION]
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const edit = (path, change) => {
  const at = join(root, path, 'package.json')
  const content = JSON.parse(readFileSync(at, 'utf8'))
  change(content)
  writeFileSync(at, `${JSON.stringify(content, null, 2)}\n`)
  return content
}
const { version, workspaces } = edit('.', (p) => {
  p.version = process.argv[2] ?? p.version
})
for (const workspace of workspaces) {
  edit(workspace, (p) => {
    if (p.version) p.version = version
    for (const list of [p.dependencies ?? {}, p.peerDependencies ?? {}]) {
      for (const name of Object.keys(list)) {
        if (name.startsWith('@fanfare/')) list[name] = version
      }
    }
  })
}
