import { defineConfig } from 'vite'
import { resolution } from '../vite.shared.ts'
import widgets from './vite.config.ts'

/** The modules of the npm package: its dependencies are not in them. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: resolution,
  plugins: widgets.plugins ?? [],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: () => 'index.js' },
    rolldownOptions: {
      external: [/^lit($|\/)/, '@fanfare/client'],
      output: { chunkFileNames: '[name]-[hash].js', minify: true },
    },
  },
})
