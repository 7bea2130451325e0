import { defineConfig } from 'vite'

/** The address of a running daemon, for `npm run dev`. */
const daemon = process.env['FANFARE_URL'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  resolve: { conditions: ['fanfare-source', 'module', 'browser'] },
  server: { proxy: { '/v1': daemon, '/connection': { target: daemon, ws: true } } },
  build: {
    outDir: '../../dist/console',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
})
