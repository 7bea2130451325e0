import { defineConfig } from 'vite'
import { build, resolution, squeezeTemplates } from '../vite.shared.ts'

const shared = build('widgets')

/** What a page loads at once is one chunk, and compresses as one. */
const groups = [{ name: 'widgets', test: /\/widgets\/src\/index\.ts$/ }]

/** One module for pages without a bundler; what it loads later is beside it. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: resolution,
  plugins: [squeezeTemplates()],
  build: {
    ...shared,
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: () => 'fanfare-widgets.js' },
    rolldownOptions: { output: { codeSplitting: { groups }, chunkFileNames: 'assets/[name]-[hash].js', minify: true } },
  },
})
