import { defineConfig, type Plugin } from 'vite'
import { build, resolution } from '../vite.shared.ts'

const shared = build('widgets')

/** One module for pages without a bundler; what it loads later is beside it. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: resolution,
  plugins: [squeezeStyles()],
  build: {
    ...shared,
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: () => 'fanfare-widgets.js' },
    rolldownOptions: { output: { chunkFileNames: 'assets/[name]-[hash].js', minify: true } },
  },
})

/** squeezeStyles removes the spaces that css`…` does not need; a library's output keeps them. */
function squeezeStyles(): Plugin {
  const squeezed = (style: string): string => style.replace(/\s+/g, ' ').replace(/\s?([{};,>])\s/g, '$1')
  return {
    name: 'squeeze-styles',
    transform(code, id) {
      if (!id.endsWith('.ts')) return undefined
      return { code: code.replace(/\bcss\s*`[^`]*`/g, squeezed), map: null }
    },
  }
}
