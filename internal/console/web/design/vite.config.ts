import { resolve } from 'node:path'
import { defineConfig } from 'vite'
import { build, resolution } from '../vite.shared.ts'

/** The design page is for developers and tests; it is not part of the binary. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  resolve: resolution,
  build: { ...build('design'), outDir: resolve(import.meta.dirname, '../.build/design') },
})
