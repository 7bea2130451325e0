import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { defineConfig, type Plugin } from 'vite'
import { build } from '../vite.shared.ts'

// The page is served at /v1/docs and its files below /v1/docs/, so that links in the page begin with docs/.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  experimental: {
    renderBuiltUrl: (file, { hostType }) => (hostType === 'html' ? `docs/${file}` : { relative: true }),
  },
  build: {
    ...build('reference'),
    modulePreload: false,
    assetsInlineLimit: 4096,
    chunkSizeWarningLimit: 2000,
  },
  plugins: [licenses()],
})

// licenses adds the licences of what the page contains.
function licenses(): Plugin {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const files = {
    'swagger-ui.txt': 'LICENSE',
    'swagger-ui-notice.txt': 'NOTICE',
    'swagger-ui-parts.txt': 'swagger-ui-es-bundle.js.LICENSE.txt',
  }
  return {
    name: 'licenses',
    generateBundle() {
      for (const [name, file] of Object.entries(files)) {
        this.emitFile({ type: 'asset', fileName: `licenses/${name}`, source: readFileSync(join(folder, file)) })
      }
    },
  }
}
