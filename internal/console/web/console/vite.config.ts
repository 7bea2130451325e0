import { defineConfig } from 'vite'
import { build, resolution, squeezeTemplates } from '../vite.shared.ts'

/** The address of a running daemon, for `npm run dev`. */
const daemon = process.env['FANFARE_URL'] ?? 'http://127.0.0.1:8080'

/**
 * The chunks: what the page starts with; what several views show; the views of operators, of whom each uses all.
 * Few chunks compress better than many: text that repeats is stored once.
 */
const groups = [
  { name: 'shell', test: /\/console\/src\/main\.ts$/, priority: 3 },
  {
    name: 'shared',
    test: /\/(elements|client|console\/src)\/|\/node_modules\//,
    minShareCount: 2,
    priority: 2,
    includeDependenciesRecursively: false,
  },
  {
    name: 'operators',
    test: /\/views\/(operations|doctor|retention|taxonomy)\//,
    priority: 1,
    includeDependenciesRecursively: false,
  },
  {
    name: 'people',
    test: /\/views\/(inbox|following|preferences|start)\/|\/elements\/|\/lucide\//,
    priority: 1,
    includeDependenciesRecursively: false,
  },
]

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  resolve: resolution,
  plugins: [squeezeTemplates()],
  server: { proxy: { '/v1': daemon, '/console/config.json': daemon } },
  build: build('console', { groups }),
})
