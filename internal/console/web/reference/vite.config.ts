import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { defineConfig, type Plugin } from 'vite'

// The page is served at /v1/docs and its files below /v1/docs/, so that links in the page begin with docs/.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  experimental: {
    renderBuiltUrl: (file, { hostType }) => (hostType === 'html' ? `docs/${file}` : { relative: true }),
  },
  build: {
    outDir: '../../dist/reference',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 4096,
    chunkSizeWarningLimit: 2000,
  },
  plugins: [licenses()],
})

// licenses adds the licences of what the page contains.
function licenses(): Plugin {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const names = ['LICENSE', 'NOTICE', 'swagger-ui-es-bundle.js.LICENSE.txt']
  return {
    name: 'licenses',
    generateBundle() {
      for (const name of names) {
        const fileName = `licenses/swagger-ui.${name.replace('swagger-ui-es-bundle.js.LICENSE', 'parts').replace('.txt', '')}.txt`
        this.emitFile({ type: 'asset', fileName, source: readFileSync(join(folder, name)) })
      }
    },
  }
}
