// Modules that a test builds for its own pages.
import { join } from 'node:path'
import { build, type Rolldown } from 'vite'
import { resolution } from '../../vite.shared.ts'

/** Returns the text of a module of this directory's folder with all it imports, built for development. */
export async function bundle(path: string): Promise<string> {
  const [built] = [
    await build({
      configFile: false,
      root: join(import.meta.dirname, '..'),
      mode: 'development',
      logLevel: 'error',
      resolve: resolution,
      define: { 'process.env.NODE_ENV': '"development"', __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
      build: {
        write: false,
        minify: false,
        target: 'es2022',
        reportCompressedSize: false,
        lib: { entry: path, formats: ['es'], fileName: () => 'page.js' },
        rolldownOptions: {
          output: { codeSplitting: false },
          onwarn: (warning, warn) => {
            if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning) // 'use client' is for servers
          },
        },
      },
    }),
  ].flat() as Rolldown.RolldownOutput[]
  const [chunk] = built?.output ?? []
  if (!chunk) throw new Error(`${path} has no output`)
  return chunk.code
}
