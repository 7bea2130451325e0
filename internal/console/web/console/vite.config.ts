import { defineConfig } from 'vite'
import { build, resolution } from '../vite.shared.ts'

/** The address of a running daemon, for `npm run dev`. */
const daemon = process.env['FANFARE_URL'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  resolve: resolution,
  server: { proxy: { '/v1': daemon, '/console/config.json': daemon } },
  build: build('console'),
})
