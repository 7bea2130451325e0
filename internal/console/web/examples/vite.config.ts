import vue from '@vitejs/plugin-vue'
import { resolve } from 'node:path'
import { defineConfig } from 'vite'
import { build, resolution } from '../vite.shared.ts'

const shared = build('examples')
const page = (name: string) => resolve(import.meta.dirname, name, 'index.html')

export default defineConfig({
  root: import.meta.dirname,
  resolve: resolution,
  plugins: [vue()],
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    ...shared,
    rolldownOptions: {
      ...shared.rolldownOptions,
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning) // 'use client' is for servers
      },
      input: {
        index: page('.'),
        html: page('html'),
        react: page('react'),
        vue: page('vue'),
        german: page('german'),
        arabic: page('arabic'),
      },
    },
  },
})
