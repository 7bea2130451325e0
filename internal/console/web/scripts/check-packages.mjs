// Packs the npm packages, checks what they contain, and installs, type-checks and bundles them in a new project.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const root = resolve(import.meta.dirname, '..')
const scratch = join(root, '.build/packages')
const names = ['client', 'widgets', 'react', 'vue']
const run = (program, args, cwd) => execFileSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 })
const problems = []
const { version } = manifest('.')

function manifest(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
}

rmSync(scratch, { recursive: true, force: true })
mkdirSync(join(scratch, 'node_modules/@fanfare'), { recursive: true })

for (const name of names) {
  const folder = join(root, name)
  const given = manifest(name)
  if (given.version !== version) problems.push(`${name}: version ${given.version}, want ${version}`)
  for (const [other, wanted] of Object.entries({ ...given.dependencies, ...given.peerDependencies })) {
    if (other.startsWith('@fanfare/') && wanted !== version)
      problems.push(`${name}: ${other} ${wanted}, want ${version}`)
  }
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', scratch], folder))
  const files = packed.files.map((file) => file.path)
  for (const wanted of ['LICENSE', 'README.md', 'dist/index.js', given.types.slice(2)]) {
    if (!files.includes(wanted)) problems.push(`${name}: the package lacks ${wanted}`)
  }
  const other = files.filter(
    (path) => !/^(LICENSE|README\.md|package\.json|openapi\.json|dist\/.*\.(js|d\.ts))$/.test(path),
  )
  if (other.length > 0) problems.push(`${name}: the package contains ${other.join(', ')}`)
  const { messages } = await publint({ pkgDir: folder, strict: true })
  for (const message of messages) {
    if (message.type !== 'suggestion') problems.push(`${name}: ${formatMessage(message, given)}`)
  }
  const target = join(scratch, 'node_modules/@fanfare', name)
  mkdirSync(target)
  run('tar', ['-xzf', join(scratch, packed.filename), '--strip-components=1', '-C', target], scratch)
  console.log(`@fanfare/${name} ${packed.version}: ${files.length} files, ${(packed.size / 1000).toFixed(1)} kB packed`)
}

// What they depend on is what the workspace has installed, so that the test needs no network.
const external = new Set(['react', 'react-dom', 'vue', '@types/react', '@types/react-dom', '@types/trusted-types'])
for (const name of names) Object.keys(manifest(name).dependencies ?? {}).forEach((d) => external.add(d))
for (const name of external) {
  const from = join(root, 'node_modules', name)
  const to = join(scratch, 'node_modules', name)
  if (name.startsWith('@fanfare/') || !existsSync(from)) continue
  mkdirSync(dirname(to), { recursive: true })
  symlinkSync(from, to)
}

const page = `import { FanfareActivity, FanfareInbox, FanfareProvider, type OpenDetail } from '@fanfare/react'
import { FanfareFollow } from '@fanfare/vue'
import { createClient, InboxStore, setClient, unwrap, type TextOverrides } from '@fanfare/widgets'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
import { createApp, h } from 'vue'

const texts: TextOverrides = { inbox: { label: 'Neues', bell: (n) => String(n) } }
const client = createClient({ baseUrl: 'https://fanfare.example', getToken: async () => 'x' })
setClient(client)
const unread: number = (await unwrap(client.GET('/notifications/unread-count'))).unread_count
const inbox = document.querySelector('fanfare-inbox')!
inbox.texts = texts
inbox.show()
const element = createElement(FanfareProvider, { client, children: createElement(FanfareInbox, {
  badge: 'unseen', onOpen: (event: CustomEvent<OpenDetail>) => console.log(event.detail.activity.event_id) }) })
createRoot(document.body).render(element)
createElement(FanfareActivity, { resource: 'x', limit: 5 })
// @ts-expect-error: the badge counts unread or unseen notifications
createElement(FanfareInbox, { badge: 'all' })
createApp({ render: () => h(FanfareFollow, { resource: 'x' }) }).mount('#app')
console.log(unread, new InboxStore(client).state.phase)
`
writeFileSync(join(scratch, 'package.json'), JSON.stringify({ name: 'scratch', private: true, type: 'module' }))
writeFileSync(join(scratch, 'main.ts'), page)
writeFileSync(join(scratch, 'index.html'), '<script type="module" src="./main.ts"></script>')
for (const [module, moduleResolution] of [
  ['ESNext', 'bundler'],
  ['Node16', 'node16'],
]) {
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'ES2022',
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: [],
  }
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }))
  try {
    run(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], scratch)
    console.log(`moduleResolution ${moduleResolution}: no error`)
  } catch (error) {
    problems.push(`moduleResolution ${moduleResolution}:\n${error.stdout}`)
  }
}
const bundled = run(join(root, 'node_modules/.bin/vite'), ['build', '--logLevel', 'warn', '--outDir', 'out'], scratch)
if (bundled.trim()) problems.push(`vite build: ${bundled}`)

for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
